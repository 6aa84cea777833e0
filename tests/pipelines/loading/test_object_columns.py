"""What can be set on accounts, campaigns, ad sets and ads: in the lake as the sandbox has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from fbgraph import GraphClient
from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.restricted import with_restricted_fields
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.objects import load_objects
from pipelines.loading.session import load_accounts
from tests.clock import NOW
from tests.objects import NEEDED
from tests.reports import KNOWN
from warehouse.decode.object_values import inside, read_of_object
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from warehouse.schema.table import Column

#: What a token may do that reads everything.
ALL_RIGHTS: Final = ("ads_read", "business_management", "manage")

#: Columns of accounts that take more rights than reading ads.
MORE_RIGHTS: Final = ("business_id", "business_name", "owner_id", "funding_source_id")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A lake with two accounts and all of their objects, and the sandbox that they come from.
    `sandbox_now` has its time.
    """

    lake: Lake
    sandbox: Sandbox
    client: GraphClient
    sandbox_now: list[datetime]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    lake = Lake(tmp_path_factory.mktemp("columns") / "data", catalog=KNOWN.catalog)
    time = [NOW]
    with Sandbox(world="hostile", now=lambda: time[0], accounts=2) as sandbox:
        token = sandbox.make_token(scopes=ALL_RIGHTS)
        with GraphClient(token, base_url=sandbox.url, sleep=lambda _: None) as client:
            load(client, lake, NOW)
            yield Loaded(lake, sandbox, client, time)


def load(client: GraphClient, lake: Lake, at: datetime) -> None:
    found = with_restricted_fields(client, lake, discover(client), at)
    load_accounts(lake, found, at)
    for one in load_objects(client, lake, NEEDED, accounts_in(lake), lambda: at):
        assert not one.error
        assert not one.unreadable


def served(client: GraphClient, table: str, sandbox: Sandbox) -> Mapping[str, Mapping[str, Any]]:
    """All objects of a table as the sandbox has them, by id."""
    row = KNOWN.catalog.objects_named(table)
    fields = ["id", *row.fields, *row.restricted]
    if table == "accounts":
        edges = [client.node("me").edge("adaccounts", fields=fields)]
        return {one["account_id"]: one for edge in edges for one in edge}
    statuses = [one for one in EFFECTIVE_STATUSES[row.kind] if one != "DELETED"]
    edges = [
        client.account(account_id).edge(row.edge, fields=fields, effective_status=statuses)
        for account_id in sandbox.account_ids
    ]
    return {one["id"]: one for edge in edges for one in edge}


#: The first and the last of the columns of settings, of each table.
SETTINGS: Final[Mapping[str, tuple[str, str]]] = {
    "accounts": ("business_id", "age"),
    "campaigns": ("budget_rebalance_flag", "issues_info"),
    "adsets": ("targeting", "issues_info"),
    "ads": ("creative_id", "issues_info"),
}

#: Columns that no object of these accounts has a value for: of other countries, other surfaces.
UNUSED: Final[Mapping[str, set[str]]] = {
    "accounts": set(),
    "campaigns": {
        *("primary_attribution", "source_campaign_id"),
        *("pixel_id", "custom_event_type", "custom_conversion_id", "page_id"),
        *("product_set_id", "product_catalog_id"),
    },
    "adsets": {
        *("country_groups", "zips", "excluded_countries", "locales", "messenger_positions"),
        *("audience_network_positions", "whatsapp_positions", "bid_constraints"),
        *("custom_conversion_id", "product_set_id", "product_catalog_id", "source_adset_id"),
        *("issue_codes", "issues_info"),
    },
    "ads": {"source_ad_id", "issue_codes", "issues_info"},
}

#: Currencies without a hundredth.
WHOLE: Final = {"JPY"}


def settings_of(table: str) -> Sequence[Column]:
    columns = KNOWN.catalog.objects_named(table).columns
    first, last = ([c.name for c in columns].index(name) for name in SETTINGS[table])
    return columns[first : last + 1]


def expected(column: Column, one: Mapping[str, Any], currency: str) -> object:
    """The text that the lake must have of a value of Graph."""
    value = inside(one, column.source)
    if value is None:
        return None
    if column.kind == "money_minor":
        return f"{Decimal(str(value)) / (1 if currency in WHOLE else 100):f}"
    return read_of_object(column, str(value) if isinstance(value, float) else value)[0]


def same(stored: object, wanted: object) -> bool:
    if isinstance(stored, datetime):
        return stored == datetime.fromisoformat(str(wanted))
    if isinstance(stored, Decimal | int) and not isinstance(stored, bool):
        return Decimal(stored) == Decimal(str(wanted))
    return stored == wanted


@pytest.mark.parametrize("table", SETTINGS)
def test_columns_are_what_the_sandbox_served(table: str, loaded: Loaded) -> None:
    truth = served(loaded.client, table, loaded.sandbox)
    currencies = {key: account.currency for key, account in accounts_in(loaded.lake).items()}

    rows = {next(iter(row.values())): row for row in loaded.lake.read(table).to_pylist()}

    assert rows.keys() == truth.keys()
    empty = {column.name for column in settings_of(table)}
    for key, one in truth.items():
        for column in settings_of(table):
            stored = rows[key][column.name]
            wanted = expected(column, one, currencies[rows[key]["account_id"]])
            assert same(stored, wanted), (column.name, one)
            if stored is not None:
                empty.discard(column.name)
    assert empty == UNUSED[table]


def test_an_ad_set_is_flat_and_whole(loaded: Loaded) -> None:
    truth = served(loaded.client, "adsets", loaded.sandbox)

    for row in loaded.lake.read("adsets").to_pylist():
        one = truth[row["adset_id"]]
        targeting = one["targeting"]
        whole = json.loads(row["targeting"])
        assert whole.keys() == targeting.keys()
        assert whole["geo_locations"].get("cities") == targeting["geo_locations"].get("cities")
        assert row["age_min"] == targeting["age_min"] < row["age_max"] == targeting["age_max"]
        names = {1: "male", 2: "female"}
        genders = sorted(names[gender] for gender in targeting.get("genders", ()))
        assert row["genders"] == (genders or None)
        left_out = targeting.get("excluded_custom_audiences", ())
        assert row["excluded_audience_names"] == ([one["name"] for one in left_out] or None)
        advantage = targeting["targeting_automation"]["advantage_audience"]
        assert row["advantage_audience"] is bool(advantage)
        assert row["attribution_setting"] == "1d_view_7d_click"  # as insights have it
        assert row["pixel_id"] == one.get("promoted_object", {}).get("pixel_id")
        assert row["learning_status"] == one["learning_stage_info"].get("status")


def test_what_moves_by_itself_is_no_new_state(loaded: Loaded) -> None:
    lake = loaded.lake
    tables = [f"{table}_history" for table in SETTINGS]
    before = {table: lake.read(table).num_rows for table in tables}
    conversions = dict(learnt(lake))

    loaded.sandbox_now[0] = NOW + timedelta(days=1, hours=5)
    try:
        load(loaded.client, lake, NOW + timedelta(days=1, hours=5))
    finally:
        loaded.sandbox_now[0] = NOW

    assert {table: lake.read(table).num_rows for table in tables} == before
    assert dict(learnt(lake)) != conversions


def learnt(lake: Lake) -> Iterator[tuple[str, int]]:
    for row in lake.read("adsets").to_pylist():
        if row["learning_conversions"] is not None:
            yield row["adset_id"], row["learning_conversions"]


@pytest.mark.parametrize("named", [False, True])
def test_a_missing_right_costs_its_columns_alone(
    *, named: bool, loaded: Loaded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path / "data", catalog=KNOWN.catalog)
    sandbox = loaded.sandbox
    ids = sandbox.account_ids if named else ()
    caplog.set_level("INFO")

    def read(token: str, at: datetime) -> Sequence[Mapping[str, Any]]:
        with GraphClient(token, base_url=sandbox.url, sleep=lambda _: None) as client:
            found = with_restricted_fields(client, lake, discover(client, ids), at)
            load_accounts(lake, found, at)
        rows = lake.read("accounts").to_pylist()
        assert all(row["age"] and row["account_name"] for row in rows)
        return [{name: row[name] for name in MORE_RIGHTS} for row in rows]

    poor, rich = sandbox.make_token(), sandbox.make_token(scopes=ALL_RIGHTS)

    nothing = read(poor, NOW)
    assert {row["owner_id"] for row in nothing} == {None}
    assert {row["funding_source_id"] for row in nothing} == {None}
    assert None not in {row["business_id"] for row in nothing}  # which this token may read
    assert "owner of 2 accounts needs a right that the token lacks" in caplog.text

    assert read(rich, NOW + timedelta(hours=19)) == nothing  # asked for once a day
    whole = read(rich, NOW + timedelta(hours=21))
    assert None not in {value for row in whole for value in row.values()}
    assert read(poor, NOW + timedelta(days=2)) == whole  # a refusal keeps what was read
    assert lake.read("accounts_history").num_rows == len(whole)
