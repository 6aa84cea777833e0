"""Accounts and objects that are not as they should be, from a real Dagster run to the published
file: a value costs itself, an object itself, an account itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

import warehouse
from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.sandbox.world.dice import dice
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.objects import load_objects
from tests.clock import NOW
from tests.objects import NEEDED
from tests.pipelines.defs.test_assets import checks, run_hourly
from tests.runs import run_job
from warehouse.published.publish import publish
from warehouse.schema.currencies import WHOLE_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


def listed(client: GraphClient, account_id: str, table: str, *fields: str) -> dict[str, Any]:
    """What the sandbox lists of an account, by id: with no scenario on, the truth."""
    statuses = [one for one in EFFECTIVE_STATUSES[NEEDED[table].kind] if one != "DELETED"]
    edge = client.account(account_id).edge(table, fields=["id", *fields], effective_status=statuses)
    return {row["id"]: row for row in edge}


def of_table(lake: Lake, query: str) -> list[Any]:
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        return opened.sql(query).fetchall()


def test_values_that_cannot_be_read_are_null_and_told_and_their_objects_load(
    instance: dg.DagsterInstance, sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    account_id = sandbox.account_ids[0]
    truth = listed(client, account_id, "campaigns", "name", "objective")
    sandbox.use("odd_objects:3")
    run_job(instance, "accounts_job")

    result = run_job(instance, "objects_job", f"act_{account_id}", f"act_{account_id}")

    assert result.success
    rows = {row["campaign_id"]: row for row in lake.read("campaigns").to_pylist()}
    odd = {key for key in truth if dice("odd_objects", key) % 3 == 0}
    assert 0 < len(odd) < len(truth)
    assert {key: row["objective"] for key, row in rows.items()} == {
        key: row["objective"] for key, row in truth.items()
    }
    assert {key: row["campaign_name"] for key, row in rows.items()} == {
        key: None if key in odd else row["name"] for key, row in truth.items()
    }
    rejects = of_table(
        lake,
        "select json_extract_string(raw, '$.id'), column_name, lost, date, page from rejects"
        " where table_name = 'campaigns'",
    )
    assert {key for key, *_ in rejects} == odd
    assert {column for _, column, *_ in rejects} == {
        *("campaign_name", "created_time", "daily_budget", "special_ad_categories")
    }
    assert {(lost, day, page) for *_, lost, day, page in rejects} == {("cell", None, None)}
    counted = checks(instance, "campaigns", "counted")[0]
    assert not counted.passed
    assert counted.metadata["rejected_cells"].value == len(rejects)
    assert "values NULL or left out" in str(counted.metadata["named"].value)


def test_the_next_good_listing_brings_the_values_and_ends_the_rejects(
    sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    store_accounts(lake, discover(client).rows, NOW)
    account_id = sandbox.account_ids[0]
    sandbox.use("odd_objects:2")
    bad = load_objects(client, lake, NEEDED, [account_id], lambda: NOW)
    before = lake.read("campaigns_history", account_id=account_id)
    sandbox.use()

    good = load_objects(client, lake, NEEDED, [account_id], lambda: NOW.replace(hour=21))

    assert all(one.unreadable and not one.error for one in bad)
    assert not any(one.unreadable or one.error for one in good)
    assert None in before["campaign_name"].to_pylist()
    after = lake.read("campaigns_history", account_id=account_id)
    assert after.num_rows == before.num_rows
    assert None not in after["campaign_name"].to_pylist()
    assert of_table(lake, "select * from rejects") == []


@pytest.mark.parametrize("known", [False, True])
def test_an_object_that_is_null_or_has_no_id_costs_itself_alone(
    sandbox: Sandbox, client: GraphClient, lake: Lake, *, known: bool
) -> None:
    store_accounts(lake, discover(client).rows, NOW)
    account_id = sandbox.account_ids[0]
    truth = listed(client, account_id, "ads")
    if known:
        load_objects(client, lake, ["ads"], [account_id], lambda: NOW)
    sandbox.use("lost_objects:4")

    [one] = load_objects(client, lake, ["ads"], [account_id], lambda: NOW.replace(hour=21))

    lost = {key for key in truth if dice("lost_objects", key) % 4 == 0}
    ids = set(lake.read("ads", account_id=account_id)["ad_id"].to_pylist())
    assert one.error == ""
    assert one.unreadable.objects >= len(lost) > 0
    assert ids >= ({*truth} if known else {*truth} - lost)
    assert known or not ids & lost
    told = of_table(lake, "select lost, value, column_name from rejects where table_name = 'ads'")
    assert set(told) == {("row", "null", ""), ("row", "null", "ad_id")}


@pytest.mark.parametrize("by_id", [False, True])
def test_one_account_that_cannot_be_read_never_costs_the_others(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    monkeypatch: pytest.MonkeyPatch,
    *,
    by_id: bool,
) -> None:
    if by_id:
        monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(sandbox.account_ids))
    sandbox.use("odd_accounts")

    assert run_job(instance, "accounts_job").success
    result = run_hourly(instance, sandbox, days[:1])

    second, third = sandbox.account_ids[1:3]
    accounts = {row["account_id"]: row for row in lake.read("accounts").to_pylist()}
    assert list(accounts) == [one for one in sandbox.account_ids if one != third]
    assert (accounts[second]["account_name"], accounts[second]["balance"]) == (None, None)
    assert accounts[second]["amount_spent"] > 0
    failed = {key for _, key in result.failed}
    assert failed <= {f"act_{third}|{days[0]}"}
    loaded = {load["account_id"]: load["verdict"] for load in lake.loads().to_pylist()}
    assert loaded == {one: "proven" for one in sandbox.account_ids if one != third}
    [record] = instance.fetch_materializations(dg.AssetKey("accounts"), limit=1).records
    assert record.asset_materialization
    told = record.asset_materialization.metadata
    assert "'Mars/Olympus_Mons' is not in the tz database" in str(told["refused"].value)
    assert told["rejected"].value == (0 if by_id else 2)
    assert told["rejected_cells"].value == 2
    query = "select account_id, column_name, value from rejects where account_id <> '' order by 2"
    assert of_table(lake, query) == [
        (second, "account_name", '{"text": "a name"}'),
        (second, "balance", '"a lot"'),
    ]


def test_caps_and_ends_that_are_none_are_null_and_no_campaign_is_lost(
    sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    store_accounts(lake, discover(client).rows, NOW)
    sandbox.use("no_limits")

    found = load_objects(client, lake, NEEDED, sandbox.account_ids, lambda: NOW)

    assert not any(one.error or one.unreadable for one in found)
    caps = of_table(lake, "select count(*), count(spend_cap) from campaigns")
    ends = of_table(lake, "select count(*), count(end_time), count(start_time) from adsets")
    listings = dict.fromkeys(NEEDED, 0)
    for one in found:
        listings[one.table] += len(one.listing.rows) if one.listing else 0
    assert caps == [(listings["campaigns"], 0)]
    assert ends == [(listings["adsets"], 0, listings["adsets"])]


def test_sixteen_digits_of_any_currency_are_kept_exactly(
    instance: dg.DagsterInstance, sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    usual = {row["account_id"]: row for row in discover(client).rows}
    sandbox.use("large_amounts")

    assert run_job(instance, "accounts_job").success

    spent = dict(of_table(lake, "select account_id, amount_spent from accounts"))
    assert spent == {
        key: Decimal(10**15 + int(row["amount_spent"]))
        / (1 if row["currency"] in WHOLE_UNITS else 100)
        for key, row in usual.items()
    }
    with warehouse.open(lake.root) as opened:
        query = "select account_id, amount_spent from accounts order by account_id"
        frame = opened.df(query, exact=True)
    assert list(frame["amount_spent"]) == [spent[key] for key in sorted(spent)]


def test_money_in_an_unknown_currency_is_null_and_the_days_of_the_account_are_proven(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    sandbox.use("unknown_currency")
    second = sandbox.account_ids[1]
    run_job(instance, "accounts_job")

    assert run_hourly(instance, sandbox, days[:1]).success
    assert run_job(instance, "objects_job", f"act_{second}", f"act_{second}").success

    assert {load["verdict"] for load in lake.loads().to_pylist()} == {"proven"}
    money = of_table(
        lake,
        "select count(*), count(daily_budget), count(campaign_name) from campaigns"
        " where account_id = (select account_id from accounts where account_currency = 'XTS')",
    )
    assert money[0][0] == money[0][2] > money[0][1] == 0
    rejects = "select distinct table_name, reason from rejects order by all"
    reason = "the smallest coin of the currency 'XTS' is not known"
    assert of_table(lake, rejects) == [
        (table, reason) for table in ("accounts", "ads", "adsets", "campaigns")
    ]
