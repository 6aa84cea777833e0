from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

CAMPAIGN = {
    "name": "n",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": "[]",
    "is_adset_budget_sharing_enabled": "0",
}


@pytest.fixture
def fresh(open_graph: Callable[..., Graph]) -> Graph:
    return open_graph()


def told(graph: Graph, token: str) -> dict[str, Any]:
    data: dict[str, Any] = graph.get("debug_token", input_token=token).json()["data"]
    return data


def test_a_token_sees_its_accounts_alone(fresh: Graph) -> None:
    mine, other = fresh.account(2), fresh.account(3)
    campaign = fresh.rows(f"{other}/campaigns")[0]["id"]
    graph = fresh.by(fresh.sandbox.make_token(accounts=[mine]))

    assert [row["id"] for row in graph.rows("me/adaccounts")] == [mine]
    assert graph.get(f"{mine}/campaigns").status_code == 200
    by_name = graph.get(f"{other}/insights")
    assert (by_name.status_code, by_name.json()["error"]["code"]) == (403, 200)
    by_id = graph.error(campaign)
    assert (by_id["code"], by_id["error_subcode"]) == (100, 33)


def test_a_report_run_of_a_hidden_account_is_not_there(fresh: Graph) -> None:
    run = fresh.create(f"{fresh.account(3)}/insights")
    graph = fresh.by(fresh.sandbox.make_token(accounts=[fresh.account(2)]))

    assert graph.error(run)["error_subcode"] == 33


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (["ads_read"], None, 200),
        (["ads_management"], None, None),
        (["ads_read", "ads_management"], None, None),
        (["business_management"], 294, 294),
        ([], 294, 294),
    ],
)
def test_scopes_decide_what_a_token_may_do(
    fresh: Graph, scopes: list[str], reads: int | None, writes: int | None
) -> None:
    graph = fresh.by(fresh.sandbox.make_token(scopes))
    path = f"{graph.account()}/campaigns"

    answers = [graph.get(path), graph.get("me/adaccounts"), graph.post(path, **CAMPAIGN)]

    codes = [answer.json().get("error", {}).get("code") for answer in answers]
    assert codes == [reads, reads, writes]


@pytest.mark.parametrize("method", ["post", "delete"])
def test_reading_alone_changes_nothing(fresh: Graph, method: str) -> None:
    graph = fresh.by(fresh.sandbox.make_token())
    campaign = graph.rows(f"{graph.account()}/campaigns")[0]["id"]
    before = graph.get(campaign, fields="name,status").json()

    answer = graph.post(campaign, name="x") if method == "post" else graph.delete(campaign)

    message = answer.json()["error"]["message"]
    assert message == "(#200) Requires ads_management permission to manage the object"
    assert graph.get(campaign, fields="name,status").json() == before


def test_business_fields_and_edges_want_their_own_scope(fresh: Graph) -> None:
    graph = fresh.by(fresh.sandbox.make_token(["ads_read", "business_management"]))
    business = graph.rows("me/businesses")[0]

    owned = {row["id"] for row in graph.rows(f"{business['id']}/owned_ad_accounts")}
    clients = {row["id"] for row in graph.rows(f"{business['id']}/client_ad_accounts")}

    assert graph.get(graph.account(), fields="owner").json()["owner"] == business["id"]
    assert owned.isdisjoint(clients)
    assert owned | clients == {row["id"] for row in graph.rows("me/adaccounts")}
    assert clients
    for path in (business["id"], f"{business['id']}/owned_ad_accounts", "me/businesses"):
        error = fresh.error(path)
        assert (
            error["message"]
            == "(#200) Requires business_management permission to manage the object"
        )


def test_accounts_name_their_business_to_every_reader(graph: Graph) -> None:
    found = graph.get(graph.account(), fields="business{name}").json()

    assert found["business"] == {"name": "Sandbox Holding"}


def test_a_token_expires_by_the_clock(fresh: Graph) -> None:
    at = fresh.clock.now + timedelta(hours=1)
    token = fresh.sandbox.make_token(expires_at=at)
    graph = fresh.by(token)

    good = graph.get("me").status_code
    fresh.clock.now = at
    error = graph.error("me")

    assert good == 200
    assert (error["code"], error["error_subcode"]) == (190, 463)
    assert "expired on Monday, 23-Nov-26 12:07:00" in error["message"]
    assert told(fresh, token)["is_valid"] is False
    assert told(fresh, token)["expires_at"] == int(at.timestamp())


def test_a_revoked_token_is_refused_at_once(fresh: Graph) -> None:
    token = fresh.sandbox.make_token()
    graph = fresh.by(token)

    before = graph.get("me").status_code
    fresh.sandbox.revoke(token)
    error = graph.error("me")

    assert before == 200
    assert (error["code"], error["error_subcode"]) == (190, 460)
    assert told(fresh, token)["error"]["subcode"] == 460
    with pytest.raises(KeyError):
        fresh.sandbox.revoke("EAAunknown")


def test_debug_token_tells_of_each(fresh: Graph) -> None:
    token = fresh.sandbox.make_token(["ads_read"], kind="PAGE")
    app = fresh.by(fresh.sandbox.app_token)

    found = told(app, token)

    assert found["type"] == "PAGE"
    assert found["scopes"] == ["ads_read"]
    assert found["expires_at"] == 0
    assert found["user_id"] == fresh.by(token).get("me").json()["id"]
    assert told(app, fresh.sandbox.token)["scopes"] == ["ads_read", "ads_management"]
    assert told(app, "EAAno")["is_valid"] is False


def test_a_token_may_not_ask_about_another(fresh: Graph) -> None:
    one, other = fresh.sandbox.make_token(), fresh.sandbox.make_token()

    itself = told(fresh.by(one), one)
    error = fresh.by(one).error("debug_token", input_token=other)

    assert itself["is_valid"] is True
    assert "must provide an app access token" in error["message"]


@pytest.mark.parametrize(("path", "code"), [("me", 2500), ("{act}", 294), ("me/adaccounts", 2500)])
def test_the_apps_own_token_reads_no_ads(graph: Graph, path: str, code: int) -> None:
    app = graph.by(graph.sandbox.app_token)

    assert app.error(path.format(act=graph.account()))["code"] == code


def test_tokens_are_made_and_revoked_over_http(fresh: Graph) -> None:
    wanted = {"scopes": ["ads_read"], "accounts": [fresh.account(1)], "expires_at": 4102444800}

    token = fresh.bare.post("_sandbox/token", json=wanted).json()["access_token"]
    graph = fresh.by(token)
    rows = graph.rows("me/adaccounts")
    fresh.bare.delete("_sandbox/token", params={"access_token": token})

    assert [row["id"] for row in rows] == [fresh.account(1)]
    assert graph.error("me")["error_subcode"] == 460


@pytest.mark.parametrize("wanted", [{"accounts": ["1"]}, {"kind": "ROBOT"}, {"expires_at": "soon"}])
def test_an_impossible_token_is_not_made(graph: Graph, wanted: dict[str, object]) -> None:
    answer = graph.bare.post("_sandbox/token", json=wanted)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_every_token_wants_its_own_proof(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(app_secret="s3cret")  # noqa: S106  of an app that does not exist
    other = graph.by(graph.sandbox.make_token())
    app = graph.by(graph.sandbox.app_token)

    assert other.error("me")["type"] == "GraphMethodException"
    assert told(app, other.token)["is_valid"] is True
