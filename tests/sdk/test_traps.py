"""Where facebook-business 26.0.3 goes wrong and what we do instead: both, against one sandbox.

What is said of the SDK is what it does here when run; a test that fails after its next release
means that docs/from-the-sdk.md has a trap less.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adimage import AdImage
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from fbgraph import GraphClient
from fbgraph.errors import (
    CursorStuckError,
    FieldError,
    GraphError,
    NotFoundError,
    RequestError,
    RetryableError,
    UncertainWriteError,
)
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fbgraph import Node
    from fbgraph.sandbox import Sandbox
    from tests.sdk.conftest import Relay

    OpenSandbox = Callable[..., Sandbox]
    OpenRelay = Callable[[Sandbox], Relay]

HTML = b'<!DOCTYPE html><html lang="en" id="facebook"><head><title>Error</title></head></html>'
NEW: dict[str, Any] = {
    "name": "new",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
}


class Both:
    """The first account of a sandbox, as the SDK's object and as our node, at one address."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        FacebookSession.GRAPH = url
        self.api = FacebookAdsApi.init(access_token=sandbox.token, crash_log=False)
        self.clock = Clock()
        self.client = GraphClient(
            sandbox.token,
            base_url=url,
            sleep=self.clock.sleep,
            jitter=lambda: 0.0,
            clock=self.clock.seconds,
        )
        self.sdk = AdAccount(f"act_{sandbox.account_ids[0]}", api=self.api)
        self.ours: Node = self.client.account(sandbox.account_ids[0])


@pytest.fixture
def both_of() -> Iterator[Callable[..., Both]]:
    made: list[Both] = []

    def make(sandbox: Sandbox, url: str | None = None) -> Both:
        made.append(Both(sandbox, url or sandbox.url))
        return made[-1]

    yield make
    for both in made:
        both.client.close()


@pytest.fixture
def relay(calm: Sandbox, open_relay: OpenRelay) -> Relay:
    return open_relay(calm)


@pytest.fixture
def both(calm: Sandbox, relay: Relay, both_of: Callable[..., Both]) -> Both:
    """Both callers, with the relay before the sandbox."""
    return both_of(calm, relay.url)


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


# --- ids and calls that are no more ---------------------------------------------------------


def test_a_run_whose_id_came_as_a_number_cannot_be_polled_in_a_batch_of_the_sdk(
    both: Both, relay: Relay
) -> None:
    def as_number(status: int, body: bytes) -> tuple[int, bytes]:
        return status, json.dumps({k: int(v) for k, v in json.loads(body).items()}).encode()

    relay.spoil(as_number, as_number)
    run = both.sdk.get_insights_async(fields=["spend"], params={})
    report_run_id = both.ours.create_report(fields=["spend"])

    assert isinstance(run["report_run_id"], int)
    with pytest.raises(TypeError):
        AdReportRun(run["report_run_id"], api=both.api).api_get(batch=both.api.new_batch())
    (polled,) = both.client.batch([both.client.node(report_run_id).request()])
    assert polled["id"] == report_run_id


def test_get_by_ids_is_refused_and_a_batch_is_not(both: Both) -> None:
    ids = [one["id"] for one in both.ours.edge("campaigns")]

    with pytest.raises(FacebookRequestError, match="ids query parameter is deprecated"):
        Campaign.get_by_ids(ids, fields=["name"], api=both.api)
    ours = both.client.batch(both.client.node(one).request(fields=["name"]) for one in ids)

    assert [one["id"] for one in ours] == ids


def test_an_image_made_by_remote_create_cannot_be_read(both: Both, picture: Path) -> None:
    image = AdImage(parent_id=both.ours.id, api=both.api)
    image["filename"] = str(picture)
    image.remote_create()
    ours = both.ours.create("adimages", files=[picture])["images"]["banner.png"]

    assert image["hash"] == ours["hash"]
    assert image.get_id() is None
    with pytest.raises(FacebookRequestError):
        image.api_get(fields=["name"])
    (read,) = both.ours.edge("adimages", fields=["name"], hashes=[ours["hash"]])
    assert read["name"] == "banner.png"


# --- batches --------------------------------------------------------------------------------


def test_a_batch_of_the_sdk_is_refused_beyond_50_calls(both: Both) -> None:
    batch = both.api.new_batch()
    for _ in range(60):
        both.sdk.api_get(fields=["name"], batch=batch)

    with pytest.raises(FacebookRequestError, match="50"):
        batch.execute()
    ours = both.client.batch([both.ours.request(fields=["name"])] * 60)

    assert len(ours) == 60


@pytest.mark.parametrize(("last", "to_be_sent"), [([None], 1), ([], None)])
def test_a_call_without_an_answer_in_a_batch_has_no_callback_of_the_sdk(
    both: Both, relay: Relay, last: list[None], to_be_sent: int | None
) -> None:
    def spoil(status: int, body: bytes) -> tuple[int, bytes]:
        return status, json.dumps(json.loads(body)[:-1] + last).encode()

    relay.spoil(spoil, spoil)
    called: list[Any] = []
    batch = both.api.new_batch()
    for _ in range(2):
        both.sdk.api_get(fields=["name"], batch=batch, success=called.append, failure=called.append)
    left = batch.execute()
    ours = both.client.batch([both.ours.request(fields=["name"])] * 2)

    assert (len(called), left and len(left)) == (1, to_be_sent)
    assert [one["id"] for one in ours] == [both.ours.id] * 2


def test_a_batch_of_the_sdk_uploads_the_name_of_a_file(
    both: Both, relay: Relay, picture: Path
) -> None:
    other = picture.with_name("other.png")
    other.write_bytes(picture.read_bytes() + b"another")
    pictures = [picture, other]

    batch = both.api.new_batch()
    hashes: list[str] = []
    for path in pictures:
        both.sdk.create_ad_image(
            params={"filename": str(path)},
            batch=batch,
            success=lambda response: hashes.extend(
                image["hash"] for image in response.json()["images"].values()
            ),
        )
    batch.execute()
    sent = relay.asked[-1].body
    answers = both.client.batch(
        both.ours.request("POST", "adimages", files=[path]) for path in pictures
    )
    ours = [image["hash"] for answer in answers for image in answer["images"].values()]

    assert str(other).encode() in sent
    assert picture.read_bytes() not in sent
    assert len(set(hashes)) == 1
    sizes = {
        image["hash"]: image.get("width")
        for image in both.ours.edge("adimages", fields=["hash", "width"])
    }
    assert [sizes[one] for one in (hashes[0], *ours)] == [None, 3, 3]


# --- tokens ---------------------------------------------------------------------------------


def test_the_sdk_writes_the_token_into_every_url(both: Both, relay: Relay, calm: Sandbox) -> None:
    list(both.sdk.get_campaigns(params={"limit": 2}))
    both.sdk.create_campaign(params=NEW).api_delete()
    sdk = [asked.url for asked in relay.asked]
    relay.asked.clear()
    list(both.ours.edge("campaigns", limit=2))
    made = both.ours.create("campaigns", **NEW)
    both.client.node(made["id"]).delete()

    assert len(sdk) == len(relay.asked) > 3
    assert [url for url in sdk if calm.token not in url] == []
    assert [asked.url for asked in relay.asked if calm.token in asked.url] == []
    assert {asked.headers["Authorization"] for asked in relay.asked} == {f"Bearer {calm.token}"}


def test_the_sdk_prints_the_token_when_it_debugs(
    both: Both, calm: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    FacebookAdsApi.init(access_token=calm.token, debug=True, crash_log=False)
    AdAccount(both.ours.id).api_get(fields=["name"])
    ours = both.client.as_curl(both.ours.request(fields=["name"]))

    assert calm.token in capsys.readouterr().out
    assert calm.token not in ours
    assert "$FB_ACCESS_TOKEN" in ours


def test_the_sdks_objects_use_the_token_that_was_set_last(calm: Sandbox) -> None:
    first, second = calm.account_ids[:2]
    tokens = [calm.make_token(accounts=[one]) for one in (first, second)]

    FacebookSession.GRAPH = calm.url
    for token in tokens:
        FacebookAdsApi.init(access_token=token, crash_log=False)
    with pytest.raises(FacebookRequestError):
        AdAccount(f"act_{first}").api_get(fields=["name"])
    with (
        GraphClient(tokens[0], base_url=calm.url) as one,
        GraphClient(tokens[1], base_url=calm.url) as other,
    ):
        seen = [[row["id"] for row in c.node("me").edge("adaccounts")] for c in (one, other)]

    assert [account["id"] for account in User("me").get_ad_accounts()] == [f"act_{second}"]
    assert seen == [[f"act_{first}"], [f"act_{second}"]]


def test_the_sdk_sends_the_stack_of_a_crash_to_meta(
    both: Both, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    FacebookAdsApi.init(app_id="77", access_token="any")  # noqa: S106  # as in its quick start
    try:
        Campaign("123", api=both.api).api_get()
    except FacebookRequestError:
        relay.asked.clear()
        sys.excepthook(*sys.exc_info())

    assert "FacebookRequestError" in capsys.readouterr().err
    assert [asked.url for asked in relay.asked] == ["/v26.0/77/instruments"]
    assert b"callstack" in relay.asked[0].body
    assert b"test_traps.py" in relay.asked[0].body


# --- parameters -----------------------------------------------------------------------------


def test_the_sdk_writes_into_the_parameters_it_is_given(both: Both) -> None:
    params: dict[str, Any] = {"level": "account"}
    both.sdk.get_insights_async(fields=["spend"], params=params)
    ours = {"level": "account", "fields": ["spend"]}
    next(both.ours.report(ours))

    assert params == {"level": "account", "fields": ["spend"]}
    assert ours == {"level": "account", "fields": ["spend"]}
    with pytest.raises(AttributeError):
        both.sdk.get_insights_async(fields=["impressions"])


def test_the_sdk_only_warns_of_a_status_that_is_none(both: Both, relay: Relay) -> None:
    with (
        pytest.warns(UserWarning, match="might not be compatible"),
        pytest.raises(FacebookRequestError),
    ):
        both.sdk.get_campaigns(params={"effective_status": ["ACTVE"]})
    sent = len(relay.asked)
    with pytest.raises(RequestError, match="Did you mean ACTIVE"):
        both.ours.edge("campaigns", effective_status=["ACTVE"])

    assert sent == len(relay.asked) == 1


def test_a_field_that_is_none_is_named(both: Both) -> None:
    with (
        pytest.warns(UserWarning, match="does not allow field nmae"),
        pytest.raises(FacebookRequestError),
    ):
        both.sdk.get_campaigns(fields=["nmae"])
    with pytest.raises(FieldError, match="nmae"):
        list(both.ours.edge("campaigns", fields=["nmae"]))


def test_an_object_that_is_none_is_an_error_to_both(both: Both) -> None:
    with pytest.raises(FacebookRequestError) as sdk:
        Campaign("123", api=both.api).api_get()
    with pytest.raises(NotFoundError) as ours:
        both.client.node("123").get()

    detail = ours.value.detail
    assert (sdk.value.api_error_code(), sdk.value.api_error_subcode()) == (100, 33)
    assert (detail.code, detail.subcode, detail.path) == (100, 33, "123")
    assert detail.message == sdk.value.api_error_message()
    assert "Check the id" in str(ours.value)
