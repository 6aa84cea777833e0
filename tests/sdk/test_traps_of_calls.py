"""Where facebook-business 26.0.3 goes wrong with batches, tokens and parameters: both run here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
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
from fbgraph.errors import FieldError, NotFoundError, RequestError
from tests.sdk.both import NEW, Both

if TYPE_CHECKING:
    from fbgraph.sandbox import Sandbox
    from tests.sdk.conftest import Relay


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
    assert Path(__file__).name.encode() in relay.asked[0].body


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
