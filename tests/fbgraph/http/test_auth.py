from __future__ import annotations

import hashlib
import hmac
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.errors import GraphError, RetryableError, RunFailedError, TokenError
from fbgraph.http.auth import BearerAuth, appsecret_proof

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fbgraph.conftest import MakeWire, Wire

NEXT = "https://graph.facebook.com/v26.0/act_1/campaigns?access_token=whatever&after=A"


def proof_of(token: str, secret: str) -> str:
    """As docs/graph-api.md#authentication has it, written a second time."""
    return hmac.new(secret.encode("utf-8"), token.encode("utf-8"), hashlib.sha256).hexdigest()


def two_pages(request: httpx.Request) -> httpx.Response:
    if "after" in request.url.params:
        return httpx.Response(200, json={"data": [{"id": "2"}]})
    paging = {"cursors": {"after": "A"}, "next": NEXT}
    return httpx.Response(200, json={"data": [{"id": "1"}], "paging": paging})


def run(request: httpx.Request) -> httpx.Response:
    if request.method == "POST":
        return httpx.Response(200, json={"report_run_id": "7"})
    if request.url.path.endswith("insights"):
        return two_pages(request)
    body = {"async_status": "Job Completed", "async_percent_completion": 100}
    return httpx.Response(200, json=body)


def every_kind_of_call(graph: Wire) -> None:
    """A node, an edge of two pages, a count that fails, a report run, and its two pages."""
    account = graph.client.account("1")
    account.run_report({"level": "ad", "fields": ["spend"]})
    list(graph.client.node("7").insights(fields=["spend"]))
    graph.client.get("me", {"fields": ["id"]})


def seen_of(error: BaseException) -> str:
    """All that somebody can see of an error: texts, tracebacks, pickled bytes, the chain."""
    texts = ["".join(traceback.format_exception(error)), repr(vars(error))]
    link: BaseException | None = error
    while link is not None:
        texts += [str(link), repr(link), repr(link.args)]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "".join([*texts, pickle.dumps(error).decode("latin-1")])


def failure_of(graph: Wire, path: str = "me") -> str:
    with pytest.raises(GraphError) as caught:
        graph.client.get(path)
    return seen_of(caught.value)


@pytest.fixture
def secret() -> str:
    return "0123456789abcdef0123456789abcdef"


def test_the_proof_is_an_hmac_in_lower_case_hex() -> None:
    # printf EAAtoken | openssl dgst -sha256 -hmac secret
    assert appsecret_proof("EAAtoken", "secret") == (
        "61b5257ec5c5a53e992ae4d93afa0975e1f1be671788f65a476b0689ad5d5dd5"
    )


def test_every_call_carries_the_token_in_its_header(wire: MakeWire, token: str) -> None:
    graph = wire(run)

    every_kind_of_call(graph)

    assert {r.headers["authorization"] for r in graph.requests} == {f"Bearer {token}"}


def test_the_token_is_in_no_address_and_no_body(wire: MakeWire, token: str) -> None:
    graph = wire(run, app_secret="secret-of-the-app")  # noqa: S106  # invented

    every_kind_of_call(graph)

    sent = "".join(f"{r.method} {r.url} {r.content.decode()}" for r in graph.requests)
    assert (token in sent, "secret-of-the-app" in sent, "access_token" in sent) == (False,) * 3


def test_every_call_carries_the_proof(wire: MakeWire, token: str, secret: str) -> None:
    graph = wire(run, app_secret=secret)

    every_kind_of_call(graph)

    proofs = [p.get("appsecret_proof") for p in graph.params]
    assert (proofs, {r.method for r in graph.requests}) == (
        [proof_of(token, secret)] * 5,
        {"GET", "POST"},
    )


def test_a_call_that_is_made_again_carries_the_proof_once(
    wire: MakeWire, token: str, secret: str
) -> None:
    graph = wire(httpx.Response(500), httpx.Response(200, json={}), app_secret=secret)

    graph.client.get("me")

    assert [r.url.params.get_list("appsecret_proof") for r in graph.requests] == (
        [[proof_of(token, secret)]] * 2
    )


def test_the_proof_changes_nothing_else_of_a_call(wire: MakeWire, secret: str) -> None:
    odd = {"name": "Größe 東京 & 50% + a=b", "limit": 2}
    graph = wire(httpx.Response(200, json={}), app_secret=secret)

    graph.client.get("act_1/campaigns", odd)
    graph.client.post("act_1/insights", odd)

    get, post = graph.requests
    assert (
        dict(get.url.params) | {"appsecret_proof": ""},
        dict(httpx.QueryParams(post.content.decode())),
        post.headers["content-type"],
        post.headers["content-length"],
    ) == (
        {"name": odd["name"], "limit": "2", "appsecret_proof": ""},
        {"name": odd["name"], "limit": "2"},
        "application/x-www-form-urlencoded",
        str(len(post.content)),
    )


def test_without_a_secret_no_proof_is_sent(wire: MakeWire) -> None:
    graph = wire(run)

    every_kind_of_call(graph)

    assert [p for p in graph.params if "appsecret_proof" in p] == []


def test_logs_show_neither_token_nor_secret_nor_proof(
    wire: MakeWire, token: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    graph = wire(httpx.ReadError(f"Bearer {token}"), run, app_secret=secret)

    every_kind_of_call(graph)

    lines = [(r.name, r.getMessage()) for r in caplog.records]
    assert [text for _, text in lines if "HTTP Request: GET" in text] != []
    assert [
        line for line in lines for s in (token, secret, proof_of(token, secret)) if s in line[1]
    ] == []


def told_of_token(*items: Any) -> httpx.Response:
    return httpx.Response(200, json=list(items))


def test_what_meta_knows_of_a_token_is_asked_without_showing_it_in_an_address(
    wire: MakeWire, token: str, secret: str
) -> None:
    about = {"is_valid": True, "expires_at": 0, "scopes": ["ads_read"]}
    graph = wire(
        told_of_token({"code": 200, "body": json.dumps({"data": about})}), app_secret=secret
    )

    told = graph.client.debug_token()

    (item,) = json.loads(httpx.QueryParams(graph.requests[0].content.decode())["batch"])
    asked = httpx.URL(item["relative_url"])
    assert (told, graph.asked, item["method"], asked.path, dict(asked.params)) == (
        about,
        ["POST /v26.0/"],
        "GET",
        "debug_token",
        {"input_token": token, "appsecret_proof": proof_of(token, secret)},
    )
    assert token not in str(graph.requests[0].url)


@pytest.mark.parametrize(
    "nothing",
    [
        {"code": 200, "body": "{}"},
        {"code": 200, "body": "[]"},
        {"code": 200, "body": '{"data":[]}'},
        {"code": 200, "body": '{"data":null}'},
        None,
    ],
)
def test_nothing_said_of_a_token_is_no_answer(wire: MakeWire, nothing: object) -> None:
    with pytest.raises(RetryableError):
        wire(told_of_token(nothing)).client.debug_token()


@pytest.mark.parametrize("answer", [{}, []])
def test_a_batch_that_comes_back_empty_is_no_answer(wire: MakeWire, answer: object) -> None:
    with pytest.raises(RetryableError):
        wire(httpx.Response(200, json=answer)).client.debug_token()


def test_a_token_that_meta_refuses_while_asked_about_it_is_not_shown(
    wire: MakeWire, token: str
) -> None:
    body = json.dumps({"error": {"message": f"Malformed access token {token}", "code": 190}})
    graph = wire(told_of_token({"code": 400, "body": body}))

    with pytest.raises(TokenError) as caught:
        graph.client.debug_token()

    assert token not in seen_of(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        *("", " ", "\n", "EAAgood0123\n", "\nEAAgood0123", "EAAgood\r\nX-Evil: 1"),
        *(" EAAgood0123", "EAAgood0123 ", "EAA good", "EAAgööd0123", "EAAgood\x000", "EAA\u200bg"),
        *("EAAgood0123\t", "\ufeffEAAgood0123", "EAAgood\x7f0123"),
    ],
)
def test_a_token_that_none_can_be_is_refused_without_showing_it(bad: str) -> None:
    with pytest.raises(TokenError) as caught:
        GraphClient(bad)

    shown = [part for part in bad.split() if part in str(caught.value)]
    assert shown == []


@pytest.mark.parametrize("good", ["EAAB" * 50, "123456|abcDEF_-.", "x"])
def test_tokens_of_every_kind_are_taken(wire: MakeWire, good: str) -> None:
    graph = wire(httpx.Response(200, json={"id": "1"}), access_token=good)

    graph.client.get("me")

    assert graph.requests[0].headers["authorization"] == f"Bearer {good}"


def refused(text: str) -> httpx.Response:
    return httpx.Response(400, json={"error": {"message": text, "code": 190}})


#: How a server, or httpx, may say a secret back: secret → answer.
ECHOES: dict[str, Callable[[str], Any]] = {
    "message": lambda s: refused(f"Malformed access token {s}"),
    "percent-encoded": lambda s: refused(f"Malformed access token {quote(s, safe='')}"),
    "user message": lambda s: httpx.Response(
        400, json={"error": {"message": "No", "code": 190, "error_user_msg": f"Token {s}"}}
    ),
    "every other part": lambda s: httpx.Response(
        400,
        json={
            "error": {
                "message": "No",
                "code": 190,
                "type": s,
                "fbtrace_id": s,
                "error_user_title": s,
                "error_data": {"blame_field": s, "blame_field_specs": [[s, s]]},
            }
        },
    ),
    "text": lambda s: httpx.Response(400, json={"error": f"Malformed access token {s}"}),
    "list": lambda s: httpx.Response(400, json={"error": [s, {"token": s}]}),
    "html": lambda s: httpx.Response(502, html=f"<html>GET /me?access_token={s}"),
    "html cut in the middle of it": lambda s: httpx.Response(502, html="x" * 180 + s),
    "cut short": lambda s: httpx.Response(200, content=f'{{"paging":{{"next":"?token={s}'.encode()),
    "no error": lambda s: httpx.Response(400, json={"debug": f"Bearer {s}"}),
    "scalar": lambda s: httpx.Response(200, json=f"Bearer {s}"),
    "h11": lambda s: httpx.LocalProtocolError(f"Illegal header value b'Bearer {s}'"),
    "connection": lambda s: httpx.ConnectError(f"proxy refused Authorization: Bearer {s}"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_an_error_shows_no_secret_however_it_came(
    wire: MakeWire, token: str, secret: str, echo: str
) -> None:
    secrets = (token, secret, proof_of(token, secret))
    shown = [
        text
        for said in secrets
        for text in [failure_of(wire(ECHOES[echo](said), app_secret=secret))]
        if said[:12] in text or said[-12:] in text
    ]

    assert shown == []


def test_a_token_that_holds_the_secret_is_hidden_as_a_whole(wire: MakeWire, secret: str) -> None:
    graph = wire(
        refused(f"Malformed access token 123456|{secret}"),
        access_token=f"123456|{secret}",
        app_secret=secret,
    )

    assert "Malformed access token <hidden> [" in failure_of(graph)


def test_a_path_that_holds_the_token_does_not_show_it(wire: MakeWire, token: str) -> None:
    graph = wire(refused("No"))

    shown = [failure_of(graph, path) for path in (token, f"me?access_token={token}")]

    assert [text for text in shown if token in text] == []


def test_a_run_that_failed_for_the_token_does_not_show_it(wire: MakeWire, token: str) -> None:
    said = {"error_message": token, "error_user_msg": token, "error_user_title": token}
    failed = {"async_status": "Job Failed", "async_percent_completion": 0, **said}
    graph = wire(httpx.Response(200, json=failed))

    with pytest.raises(RunFailedError) as caught:
        graph.client.wait_for("7")

    assert token not in seen_of(caught.value)


def test_a_page_of_accounts_that_is_cut_short_shows_no_token_of_theirs(wire: MakeWire) -> None:
    body = b'{"data":[{"id":"1","access_token":"EAAofAPage0123456789"},{"id":'

    assert "EAAofAPage" not in failure_of(wire(httpx.Response(200, content=body)))


def test_no_text_of_an_object_shows_a_secret(wire: MakeWire, token: str, secret: str) -> None:
    graph = wire(two_pages, app_secret=secret)
    edge = graph.client.account("1").edge("campaigns")
    things = (
        *(graph.client, graph.client.counted(), graph.client.account("1"), edge),
        *(next(edge.pages()), graph.client.tally, BearerAuth(token)),
    )

    shown = "".join(f"{thing!r} {thing}" for thing in things)

    assert [
        s for s in (token, secret, proof_of(token, secret), "access_token=w") if s in shown
    ] == []


def test_a_short_token_garbles_neither_rows_nor_messages(wire: MakeWire) -> None:
    row = {"id": "1", "name": "x marks the extra box"}
    answers = (httpx.Response(200, json=row), refused("An example for x"))
    graph = wire(*answers, access_token="x")  # noqa: S106  # a letter

    read = graph.client.node("1").get()

    assert (read, "An example for x" in failure_of(graph)) == (row, True)


def test_a_row_that_holds_the_token_comes_as_it_is(wire: MakeWire, token: str) -> None:
    graph = wire(httpx.Response(200, json={"id": "1", "name": token}))

    assert graph.client.node("1").get()["name"] == token
