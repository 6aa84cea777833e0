"""What a response must not tell: tokens and other secrets, in messages and links."""

from __future__ import annotations

import json

import pytest

from fbgraph.http.response import scrub, text_ids


def test_links_to_other_pages_hold_no_token() -> None:
    link = "https://graph.facebook.com/v26.0/1/ads?access_token=EAAinvented&limit=2&after=A"
    page = {"data": [{"ads": {"data": [], "paging": {"next": link}}}], "paging": {"previous": link}}

    read = json.dumps(text_ids(page))

    hidden = "https://graph.facebook.com/v26.0/1/ads?access_token=<hidden>&limit=2&after=A"
    assert (read.count(hidden), "EAAinvented" in read) == (2, False)


@pytest.mark.parametrize(
    "text",
    [
        "https://graph.facebook.com/v26.0/me?access_token=EAAother&limit=25",
        "https:\\/\\/graph.facebook.com\\/v26.0\\/me?limit=25&access_token=EAAother\\u0026a=1",
        "next=%2Fme%3Faccess_token%3DEAAother",
        "next=%2fme%3faccess_token%3dEAAother",
        '{"data":[{"id":"1","access_token":"EAAother","name":"a page',
        '{"data":[{"access_token" : "EAAother"',
        "{'data': [{'access_token': 'EAAother'}]}",
        '"body":"{\\"access_token\\":\\"EAAother\\"}"',
        "GET debug_token?input_token=EAAother",
        "?appsecret_proof=EAAother&x=1",
        "client_secret=EAAother",
        "access_token=EAAother\naccess_token=EAAother",
    ],
)
def test_a_token_that_is_not_ours_is_hidden_by_its_name(text: str) -> None:
    assert "EAAother" not in scrub(text, ())


@pytest.mark.parametrize(
    "text",
    [
        "An access token is required to request this resource.",
        "API calls from the server require an appsecret_proof argument",
        "(#100) The parameter access_token is required",
        "Unknown path components: /access_token",
    ],
)
def test_what_is_said_about_tokens_stays_readable(text: str) -> None:
    assert scrub(text, ("EAAours0123456789",)) == text


def test_a_secret_too_short_to_be_one_does_not_garble_a_message() -> None:
    assert scrub("An example of text: x", ("x", "", "exam")) == "An example of text: x"


def test_a_secret_inside_another_is_hidden_with_it() -> None:
    assert scrub("id|secret-secret", ("id|secret-secret", "secret-secret")) == "<hidden>"
