"""Where facebook-business 26.0.3 goes wrong and what we do instead: both, against one sandbox.

What is said of the SDK is what it does here when run; a test that fails after its next release
means that docs/from-the-sdk.md has a trap less.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.exceptions import FacebookRequestError

from fbgraph.errors import (
    CursorStuckError,
    GraphError,
    RequestError,
    RetryableError,
    UncertainWriteError,
)
from tests.sdk.both import HTML, NEW, Both

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox import Sandbox
    from tests.sdk.conftest import Relay

    OpenSandbox = Callable[..., Sandbox]


# --- pages ----------------------------------------------------------------------------------
def test_the_sdk_ends_a_listing_at_an_empty_page(
    open_sandbox: OpenSandbox, both_of: Callable[..., Both]
) -> None:
    both = both_of(open_sandbox("empty_pages"))

    cursor = both.sdk.get_ads(params={"limit": 4})
    sdk = [ad["id"] for ad in cursor]
    edge = both.ours.edge("ads", limit=4)
    ours = [ad["id"] for ad in edge]

    assert len(sdk) == 2 < cursor.total()
    assert ours[:2] == sdk
    assert len(ours) == len(set(ours)) == edge.count() == cursor.total()


def test_the_sdk_walks_for_ever_where_a_cursor_is_repeated(
    open_sandbox: OpenSandbox, both_of: Callable[..., Both]
) -> None:
    both = both_of(open_sandbox("repeated_cursor"))

    cursor = both.sdk.get_campaigns(params={"limit": 2})
    sdk = [next(cursor)["id"] for _ in range(20 * cursor.total())]

    assert len(set(sdk)) < len(sdk)
    with pytest.raises(CursorStuckError):
        list(both.ours.edge("campaigns", limit=2))


def test_the_sdk_reads_25_rows_a_page(
    open_sandbox: OpenSandbox, both_of: Callable[..., Both]
) -> None:
    sandbox = open_sandbox(scale=3)
    both = both_of(sandbox)

    sdk = [ad["id"] for ad in both.sdk.get_ads()]
    calls = [sandbox.calls()["total"]]
    sandbox.reset_calls()
    ours = [ad["id"] for ad in both.ours.edge("ads")]
    calls.append(sandbox.calls()["total"])

    assert sdk == ours
    assert calls == [-(-len(ours) // 25), 1]
    assert len(ours) > 25


def test_the_length_of_the_sdks_cursor_is_that_of_the_page_in_hand(
    calm: Sandbox, both_of: Callable[..., Both]
) -> None:
    both = both_of(calm)

    cursor = both.sdk.get_campaigns(params={"limit": 2})

    assert len(cursor) == 2 < cursor.total()
    assert both.ours.edge("campaigns", limit=2).count() == cursor.total()


# --- answers that are none ------------------------------------------------------------------
def test_html_with_502_is_success_to_the_sdk(both: Both, relay: Relay) -> None:
    relay.answer(HTML, 502)
    answer = both.api.call("GET", ("me",))
    relay.answer(HTML, 502)
    with pytest.raises(TypeError):
        list(both.sdk.get_campaigns())
    relay.answer(HTML, 502)
    ours = list(both.ours.edge("campaigns"))

    assert (answer.status(), answer.is_success(), answer.error()) == (502, True, None)
    assert len(ours) == both.ours.edge("campaigns").count()
    assert len(both.clock.waits) == 1


def test_html_in_a_batch_goes_to_the_sdks_success_callback(both: Both, relay: Relay) -> None:
    item = json.dumps([{"code": 502, "body": HTML.decode()}]).encode()
    succeeded: list[Any] = []
    failed: list[Any] = []

    relay.answer(item)
    batch = both.api.new_batch()
    both.sdk.api_get(
        fields=["name"],
        batch=batch,
        success=lambda response: succeeded.append(response.json()),
        failure=failed.append,
    )
    batch.execute()
    relay.answer(item)
    ours = both.client.batch([both.ours.request(fields=["name"])])

    assert (succeeded, failed) == ([HTML.decode()], [])
    assert [one["name"] for one in ours] == [both.ours.get(["name"])["name"]]


def test_an_empty_answer_is_a_campaign_without_id_to_the_sdk(both: Both, relay: Relay) -> None:
    relay.answer(b"")
    campaign = both.sdk.create_campaign(fields=[], params={**NEW, "name": "by the SDK"})
    relay.answer(b"")
    with pytest.raises(UncertainWriteError) as caught:
        both.ours.create("campaigns", **{**NEW, "name": "by us"})
    there = [one["name"] for one in both.ours.edge("campaigns", fields=["name"])]

    assert (campaign.get_id(), campaign.get("name")) == (None, None)
    assert there.count("by the SDK") == there.count("by us") == 1
    assert "The write may have succeeded" in str(caught.value)


def test_the_sdk_reads_an_empty_answer_as_an_object(both: Both, relay: Relay) -> None:
    relay.answer(b"")
    account = both.sdk.api_get(fields=["name"])
    relay.answer(b"")
    ours = both.ours.get(["name"])

    assert "name" not in account
    assert ours["name"]


# --- errors ---------------------------------------------------------------------------------
ERROR = {"message": "Invalid parameter", "type": "OAuthException", "code": 100}

#: `error` → what the SDK raises, what we raise, with the fields that are to blame.
ODD_ERRORS = [
    ("text", "An unknown error occurred", AttributeError, RetryableError, ()),
    ("no error_data", ERROR, FacebookRequestError, RequestError, ()),
    ("null", {**ERROR, "error_data": None}, TypeError, RequestError, ()),
    ("empty text", {**ERROR, "error_data": ""}, ValueError, RequestError, ()),
    ("plain text", {**ERROR, "error_data": "bad targeting"}, ValueError, RequestError, ()),
    ("a list", {**ERROR, "error_data": []}, TypeError, RequestError, ()),
    ("quoted null", {**ERROR, "error_data": '"null"'}, FacebookRequestError, RequestError, ()),
    (
        "blame_field",
        {**ERROR, "error_data": {"blame_field": "bid_amount"}},
        FacebookRequestError,
        RequestError,
        ("bid_amount",),
    ),
    (
        "JSON text",
        {**ERROR, "error_data": '{"blame_field_specs":[["targeting","age_min"]]}'},
        FacebookRequestError,
        RequestError,
        ("targeting.age_min",),
    ),
]


@pytest.mark.parametrize(
    ("error", "sdk", "ours", "blamed"),
    [case[1:] for case in ODD_ERRORS],
    ids=[case[0] for case in ODD_ERRORS],
)
def test_an_odd_error_makes_the_sdk_stumble_over_itself(
    both: Both,
    relay: Relay,
    error: object,
    sdk: type[Exception],
    ours: type[GraphError],
    blamed: tuple[str, ...],
) -> None:
    relay.answer(json.dumps({"error": error}).encode(), 400, times=9)

    with pytest.raises(sdk):
        both.sdk.api_get(fields=["name"])
    with pytest.raises(ours) as caught:
        both.ours.get(["name"])

    said = error if isinstance(error, str) else ERROR["message"]
    assert (caught.value.detail.message, caught.value.detail.blamed_fields) == (said, blamed)
    assert f"GET {both.ours.id}" in str(caught.value)


def test_a_single_blamed_field_is_not_seen_by_the_sdk(both: Both, relay: Relay) -> None:
    error = {"error": {**ERROR, "error_data": {"blame_field": "bid_amount"}}}
    relay.answer(json.dumps(error).encode(), 400)

    with pytest.raises(FacebookRequestError) as caught:
        both.sdk.api_get()

    assert caught.value.api_blame_field_specs() is None


def test_the_sdk_never_tries_again(open_sandbox: OpenSandbox, both_of: Callable[..., Both]) -> None:
    both = both_of(open_sandbox("flaky"))

    def outcome(call: Callable[[], Any]) -> str:
        try:
            call()
        except Exception as error:  # noqa: BLE001  # which ones it raises is what is asked
            return type(error).__name__
        return "fine"

    sdk = [outcome(lambda: both.sdk.api_get(fields=["name"])) for _ in range(50)]
    ours = [outcome(lambda: both.ours.get(["name"])) for _ in range(50)]

    assert set(sdk) == {"fine", "FacebookRequestError", "TypeError"}
    assert set(ours) == {"fine"}


def test_the_sdk_does_not_wait_for_a_throttle(
    open_sandbox: OpenSandbox, both_of: Callable[..., Both]
) -> None:
    both = both_of(open_sandbox("throttled"))

    with pytest.raises(FacebookRequestError) as caught:
        [both.sdk.get_insights() for _ in range(50)]
    ours = [list(both.ours.insights()) for _ in range(20)]

    assert caught.value.api_error_code() == 80000
    assert len(ours) == 20
    assert max(both.clock.waits) >= 60
