from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.errors import PermissionDeniedError, RetryableError
from pipelines.defs.checks import counted_result
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.listings import Listing, list_objects, store_objects
from pipelines.loading.objects import Listed
from warehouse.decode.pages import Account
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)


def objects(sandbox: Sandbox, level: str) -> dict[str, int]:
    """How many objects of each status the first account has."""
    counts: dict[str, int] = sandbox.world()["accounts"][0]["objects"][level]
    return counts


def ids_of(listing: Listing) -> list[str]:
    return [str(one["id"]) for one in listing.rows if isinstance(one, Mapping)]


@pytest.mark.parametrize(
    ("table", "level"), [("campaigns", "campaign"), ("adsets", "adset"), ("ads", "ad")]
)
def test_a_listing_holds_all_but_the_deleted_and_as_many_as_the_edge_counts(
    sandbox: Sandbox, client: GraphClient, table: str, level: str
) -> None:
    counts = objects(sandbox, level)

    listing = list_objects(client, sandbox.account_ids[0], OBJECT_TABLES[table])

    expected = sum(counts.values()) - counts["DELETED"]
    assert counts["ARCHIVED"] > 0
    assert (len(listing.rows), listing.total_count, listing.complete) == (expected, expected, True)


def test_a_listing_that_differs_from_its_count_is_made_once_more(
    sandbox: Sandbox, client: GraphClient
) -> None:
    sandbox.use("wrong_total_count")

    listing = list_objects(client, sandbox.account_ids[0], OBJECT_TABLES["campaigns"])

    assert (listing.complete, client.tally.calls) == (False, 2)
    assert listing.total_count == len(listing.rows) + 1


class Meddling(httpx.HTTPTransport):
    """Does something once, before the first page that goes on behind a cursor."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self.meddle: Callable[[], object] | None = meddle

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.meddle and "after" in request.url.params:
            self.meddle()
            self.meddle = None
        return super().handle_request(request)


def test_a_listing_that_changes_while_it_is_read_has_what_there_is_at_its_end(
    sandbox: Sandbox,
) -> None:
    account_id, ads = sandbox.account_ids[0], OBJECT_TABLES["ads"]
    sandbox.use("limit_too_high:20")
    with GraphClient(sandbox.token, base_url=sandbox.url) as client:
        before = ids_of(list_objects(client, account_id, ads))
    first, last = before[0], before[-1]

    def meddle() -> None:
        sandbox.change(first, status="DELETED")
        sandbox.change(last, status="PAUSED")

    transport = Meddling(meddle)
    with GraphClient(sandbox.token, base_url=sandbox.url, transport=transport) as client:
        listing = list_objects(client, account_id, ads)

    assert transport.meddle is None
    assert listing.complete
    assert {*ids_of(listing)} == {*before} - {first}


def test_an_edge_that_does_not_count_is_said_to_be_uncounted(
    sandbox: Sandbox, client: GraphClient
) -> None:
    sandbox.use("no_total_count")

    listing = list_objects(client, sandbox.account_ids[0], OBJECT_TABLES["campaigns"])

    assert (listing.total_count, listing.complete, client.tally.calls) == (None, False, 1)


def test_a_listing_whose_cursor_is_refused_is_made_once_more() -> None:
    refused = httpx.Response(400, json={"error": {"message": "(#2642) Cursor", "code": 2642}})
    listed = httpx.Response(200, json={"data": [{"id": "1"}], "summary": {"total_count": 1}})
    answers = iter([refused, listed])
    transport = httpx.MockTransport(lambda _: next(answers))

    with GraphClient("token-of-a-test", transport=transport) as client:
        listing = list_objects(client, "1", OBJECT_TABLES["campaigns"])

    assert listing.complete


def test_a_token_that_may_list_no_accounts_is_told_to_name_them() -> None:
    refused = httpx.Response(403, json={"error": {"message": "(#200) No", "code": 200}})
    transport = httpx.MockTransport(lambda _: refused)

    with (
        GraphClient("token-of-a-test", transport=transport) as client,
        pytest.raises(PermissionDeniedError, match="FB_ACCOUNT_IDS"),
    ):
        discover(client)


def test_the_check_warns_with_both_numbers() -> None:
    fine = Listing([{"id": "1"}], 1)
    short = Listing([{"id": "1"}], 2)
    silent = Listing([{"id": "1"}], None)

    found = [Listed("campaigns", str(n), one) for n, one in enumerate((fine, short, silent), 1)]
    result = counted_result(dg.AssetKey("campaigns"), found)

    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.metadata["named"].value == {
        "act_2": "listed 1, counted 2",
        "act_3": "listed 1, not counted",
    }


def test_every_account_of_the_token_is_found(sandbox: Sandbox, client: GraphClient) -> None:
    found = discover(client)

    assert [row["account_id"] for row in found.rows] == list(sandbox.account_ids)


def test_accounts_named_by_id_are_read_without_a_listing_and_the_others_refused(
    sandbox: Sandbox, client: GraphClient
) -> None:
    found = discover(client, [sandbox.account_ids[1], "999"])

    assert [row["account_id"] for row in found.rows] == [sandbox.account_ids[1]]
    assert list(found.refused) == ["999"]


@pytest.mark.parametrize(
    ("broken", "found"),
    [({"2"}, ["1", "3", "4", "5"]), ({"1", "2", "4", "5"}, ["3"]), ({"2", "3", "4"}, None)],
)
def test_accounts_whose_answers_make_no_sense_are_refused_by_name_unless_it_is_all_of_them(
    broken: set[str], found: list[str] | None
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        account_id = request.url.path.rpartition("_")[2]
        good = {"account_id": account_id, "timezone_name": "Europe/Berlin"}
        return httpx.Response(200, json=[] if account_id in broken else good)

    with GraphClient(
        "token-of-a-test", transport=httpx.MockTransport(answer), sleep=lambda _: None
    ) as client:
        if found is None:
            with pytest.raises(RetryableError, match="not an object of the graph"):
                discover(client, list("12345"))
            return
        discovery = discover(client, list("12345"))

    assert [row["account_id"] for row in discovery.rows] == found
    assert {*discovery.refused} == broken
    assert all("not an object of the graph" in why for why in discovery.refused.values())


def test_an_account_that_vanishes_keeps_its_row(client: GraphClient, lake: Lake) -> None:
    rows = discover(client).rows
    store_accounts(lake, rows, NOW)

    store_accounts(lake, [{**rows[0], "name": "Renamed"}], NOW)

    table = lake.read("accounts")
    assert table.num_rows == len(rows)
    assert "Renamed" in table["account_name"].to_pylist()


def test_stored_accounts_say_in_which_zone_and_currency_their_days_are(
    sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    store_accounts(lake, discover(client).rows, NOW)

    first = sandbox.account_ids[0]
    assert accounts_in(lake)[first] == Account(first, "Europe/Berlin", "EUR")


def test_budgets_are_kept_in_major_units_of_the_accounts_currency(
    sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    yen = next(a for a in sandbox.world()["accounts"] if a["currency"] == "JPY")["account_id"]
    listing = list_objects(client, yen, OBJECT_TABLES["campaigns"])
    minor = {row["id"]: row.get("daily_budget") for row in listing.rows if isinstance(row, dict)}

    store_objects(lake, "campaigns", Account(yen, "Asia/Tokyo", "JPY"), listing, NOW)

    stored = lake.read("campaigns").select(["campaign_id", "daily_budget"]).to_pylist()
    assert {r["campaign_id"]: r["daily_budget"] for r in stored} == {
        key: None if value is None else int(value) for key, value in minor.items()
    }
