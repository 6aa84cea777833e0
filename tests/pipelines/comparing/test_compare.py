"""A lake that was really loaded, and a table of another loader that is wrong in every way."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.cli.commands.compare import run_compare
from pipelines.cli.output.style import Style
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.objects import load_objects
from pipelines.loading.partitions import AccountDay
from tests.clock import NOW
from tests.objects import NEEDED
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DAYS: Final = [date(2026, 11, 19) + timedelta(days=n) for n in range(4)]

#: Rows of an account-day in their table: MINE in what follows.
MINE: Final = "account_id = $account AND date_start = $day"

#: What is wrong → what is done to an account-day of their table, which is ours by ad else. The
#: place in the list is the account-day: four days of each of three accounts, which are in Berlin,
#: Los Angeles and Tokyo.
WRONG: Final[Mapping[str, str]] = {
    "archived": "DELETE FROM ads WHERE MINE AND ad_id IN (FROM ours.ads SELECT ad_id "
    "WHERE effective_status IN ('ARCHIVED', 'DELETED'))",
    "missing_rows": "DELETE FROM ads WHERE MINE AND ad_id = (FROM ads SELECT max(ad_id) "
    "WHERE MINE AND clicks > 0)",
    "repeated": "INSERT INTO ads SELECT * FROM ads WHERE MINE",
    "versions": "INSERT INTO ads SELECT * REPLACE (spend / 2 AS spend, impressions - 1 AS "
    "impressions, _airbyte_extracted_at - INTERVAL 1 HOUR AS _airbyte_extracted_at) FROM ads "
    "WHERE MINE",
    "vanished": "INSERT INTO ads BY NAME SELECT * REPLACE ('1' AS ad_id) FROM ads WHERE MINE "
    "ORDER BY spend DESC LIMIT 1",
    "unit": "UPDATE ads SET spend = spend * 100 WHERE MINE",
    "other_clicks": "UPDATE ads SET clicks = inline_link_clicks WHERE MINE; UPDATE ads SET "
    "purchases = n FROM (FROM ours.insights_daily_actions SELECT ad_id AS ad, sum(click_7d) AS n "
    "WHERE action_type = 'omni_purchase' AND list_field = 'actions' AND date = $day GROUP BY ALL) "
    "WHERE MINE AND ad_id = ad",
    "currency": "UPDATE ads SET account_currency = 'GBP' WHERE MINE",
    "zone": "DELETE FROM ads WHERE MINE; INSERT INTO ads BY NAME SELECT account_id, ad_id, "
    "hour_start_utc::DATE AS date_start, date_start AS date_stop, sum(spend) AS spend, "
    "sum(impressions) AS impressions, sum(clicks) AS clicks, sum(inline_link_clicks) AS "
    "inline_link_clicks FROM ours.insights_hourly WHERE account_id = $account AND "
    "hour_start_utc::DATE = $day GROUP BY ALL",
    "day_not_there": "DELETE FROM ads WHERE MINE",
    "shifted": "DELETE FROM ads WHERE MINE; INSERT INTO ads SELECT * REPLACE ($day AS "
    "date_start, $day AS date_stop) FROM ours_by_ad WHERE account_id = $account AND "
    "date_start = $day - 1",
    "before_end": "UPDATE ads SET spend = spend / 2, impressions = 1, clicks = 1 WHERE MINE; "
    "INSERT INTO ours.intraday_totals BY NAME SELECT account_id, date_start AS date, "
    "now() AS asked_at, sum(spend)::DECIMAL(18, 6) AS spend, sum(impressions) AS impressions, "
    "sum(clicks) AS clicks FROM ads WHERE MINE GROUP BY ALL",
}


class Scene(NamedTuple):
    """The lake, what the sandbox says it served of each account-day, and the account-days in the
    order in which they are spoilt.
    """

    lake: Path
    truth: Mapping[tuple[str, date], Decimal]
    keys: Sequence[tuple[str, date]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    lake = Lake(tmp_path_factory.mktemp("work") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(now=lambda: NOW) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        accounts = sandbox.account_ids[:3]
        store_accounts(lake, discover(client, accounts).rows, NOW)
        load_objects(client, lake, {"ads": NEEDED["ads"]}, accounts, lambda: NOW)
        loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
        keys = [(account, day) for account in accounts for day in DAYS]
        wanted = [AccountDay(*key) for key in keys]
        assert all(one.load for one in loader.load(KNOWN.by_name["insights_hourly"], wanted))
        by_day = [AccountDay(*keys[[*WRONG].index("other_clicks")])]
        assert all(one.load for one in loader.load(KNOWN.by_name["insights_daily"], by_day))
        truth = {
            key: sum((Decimal(row["spend"]) for row in sandbox.truth(*key)["rows"]), Decimal())
            for key in keys
        }
    publish(lake.root, catalog=KNOWN.catalog)
    return Scene(lake.root, truth, keys)


def theirs(scene: Scene, path: Path, wrong: Mapping[tuple[str, date], str]) -> None:
    """Write their table as a DuckDB file, with account-days spoilt."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS other; USE other")
        connection.execute(f"ATTACH '{(scene.lake / 'warehouse.duckdb').resolve()}' AS ours")
        connection.execute(
            "CREATE TABLE ads AS FROM ours.ad_daily SELECT account_id, ad_id, date AS date_start, "
            "date AS date_stop, spend::DOUBLE AS spend, impressions, clicks, inline_link_clicks, "
            "account_currency, 0 AS purchases, "
            "TIMESTAMPTZ '2026-11-23 20:00:00+00' AS _airbyte_extracted_at; "
            "CREATE TEMP TABLE ours_by_ad AS FROM ads"
        )
        for (account, day), what in wrong.items():
            for statement in WRONG[what].replace("MINE", MINE).split("; "):
                values = {"account": account, "day": day}
                used = {name: one for name, one in values.items() if f"${name}" in statement}
                connection.execute(statement, used)


def asked(
    scene: Scene, source: Path | str, capsys: pytest.CaptureFixture[str], *columns: str, **more: Any
) -> tuple[int, list[dict[str, Any]]]:
    environ = {"WAREHOUSE_URL": str(scene.lake)}
    code = run_compare(environ, str(source), columns=columns, style=Style(is_json=True), **more)
    lines = capsys.readouterr().out.splitlines()
    return code, [json.loads(line, parse_float=Decimal) for line in lines]


def test_every_way_of_being_wrong_is_named_and_explained(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = dict(zip(scene.keys, WRONG, strict=True))
    theirs(scene, tmp_path / "peer.duckdb", wrong)

    code, [*days, total] = asked(scene, tmp_path / "peer.duckdb", capsys, table="main.ads")
    run_compare({"WAREHOUSE_URL": str(scene.lake)}, str(tmp_path / "peer.duckdb"))
    printed = capsys.readouterr().out

    found = {
        (one["account"], one["day"]): (one["reasons"][0]["kind"], one["is_explained"])
        for one in days
    }
    # Of the clicks on links before the day's end nothing is known: the rest is no proof.
    assert found == {
        (f"act_{a}", str(day)): (what, what != "before_end") for (a, day), what in wrong.items()
    }
    assert [reason["kind"] for reason in days[6]["reasons"]] == ["other_clicks", "attribution"]
    assert (code, total["account_days"], total["explained"]) == (1, 12, 11)
    assert printed.startswith("12 account-days, 2026-11-19 to 2026-11-22: 0 equal, 12 differ.\n")
    assert all(what in printed for what in wrong.values())


def test_all_tables_of_ours_are_equal_to_what_the_sandbox_served(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    source = scene.lake / "warehouse.duckdb"
    basic = asked(scene, source, capsys, table="fivetran.basic_ad")
    hours = asked(scene, scene.lake / "insights_hourly", capsys)
    with warehouse.open(scene.lake) as opened:
        sums = opened.sql(
            "FROM fivetran.basic_ad SELECT account_id::VARCHAR, date, sum(spend) GROUP BY ALL "
            "UNION ALL FROM account_daily SELECT account_id, date, spend"
        ).fetchall()

    assert basic[0] == 0
    [only, _] = hours[1]  # hours have the purchases on Meta alone
    assert [reason["kind"] for reason in only["reasons"]] == ["purchases"]
    assert len(sums) == 2 * len(scene.keys)
    assert {(account, day, spend) for account, day, spend in sums} == {
        (*key, spend) for key, spend in scene.truth.items()
    }


def test_an_export_of_one_account_needs_the_account_and_names_what_it_cannot_read(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account, day = scene.keys[0]
    spend = scene.truth[scene.keys[0]]
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"Day,Kosten\n{day},{spend:.2f}\n")
    bad.write_text(f'Day,Kosten\n{day},"1.234,56"\n')

    equal = asked(scene, good, capsys, "spend=Kosten", accounts=[account])

    assert equal[0] == 0
    for source, accounts, message in (
        (bad, [account], "Column 'Kosten' has 1 value that cannot be read, such as '1.234,56'"),
        (good, [], "Its columns: Day, Kosten."),
        (good, ["99"], "Both have no account-day in common"),
        (tmp_path / "none.csv", [], "There is no file"),
    ):
        with pytest.raises(ConfigError) as caught:
            asked(scene, source, capsys, "spend=Kosten", accounts=accounts)
        assert message in str(caught.value)
