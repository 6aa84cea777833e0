"""A project as the code of 2026-11-28 left it (lake, Dagster home, own report) goes on.

`2026-11-28.tar.xz` was made by that code against its own sandbox, with two accounts in Tokyo and
Kolkata: a day that was still open, an unproven one, failed ones of a third account, two restated
ones, a report run in flight, a limit of an account, and a schedule that is turned on.
"""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.world import tree
from pipelines.cli.commands.refresh import run_one_tick
from pipelines.cli.commands.today import run_today
from pipelines.errors import ConfigError
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import old_files, preset_files
from pipelines.state.dagster_home import open_instance
from tests.reports import KNOWN
from tests.runs import run_job
from warehouse.decode.pages import Account
from warehouse.lake.history import merge_objects
from warehouse.lake.identity import identity_of
from warehouse.lake.partitions import Lake
from warehouse.published.publish import damage, publish
from warehouse.schema.catalog import OWN
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MADE: Final = Path(__file__).with_name("2026-11-28.tar.xz")

#: What the code of that day had published, without the report of its own.
ROWS: Final = {
    "accounts": 7, "campaigns": 20, "adsets": 33, "ads": 62,
    **{f"{table}_history": rows for table, rows in
       {"accounts": 7, "campaigns": 20, "adsets": 33, "ads": 62}.items()},
    "insights_hourly": 1245, "insights_daily": 82, "insights_age_gender": 923,
    "control_daily": 8, "restatements": 2, "rejects": 0,
}  # fmt: skip

#: Before the fixture was made, so that the time of whoever tests is never before it.
NOW: Final = datetime(2026, 11, 29, 2, tzinfo=UTC)

#: The account that failed.
REFUSED: Final = "500100017310042"

#: Of the hours of both accounts: impressions, clicks, spend.
SUMS: Final = {
    "500100027310042": (189678, 2932, Decimal(174432)),
    "500100037310042": (118248, 1749, Decimal("9890.17")),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with tarfile.open(MADE) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "project"


def test_the_lake_publishes_all_that_was_published_before(project: Path) -> None:
    assert damage(Lake(project / "data")) == ""  # `fbinsights query` works before any publish
    with warehouse.open(project / "data") as opened:
        [(ads,)] = opened.sql("select count(*) from ads").fetchall()
    assert ads == ROWS["ads"]

    published = publish(project / "data", catalog=KNOWN.catalog)
    again = publish(project / "data")  # by somebody who knows nothing of the project's reports

    assert {table: published.rows[table] for table in ROWS} == ROWS
    assert (again.rows, again.version) == (published.rows, published.version)
    with warehouse.open(project / "data") as opened:
        found = opened.sql(
            "select account_id, sum(impressions), sum(clicks), sum(spend)"
            " from insights_hourly group by account_id"
        ).fetchall()
    assert {account: tuple(sums) for account, *sums in found} == SUMS


def test_a_report_of_ones_own_whose_name_is_reserved_now_fails_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    defs = project / "pipelines" / "defs"
    report = defs / "insights_country" / "defs.yaml"
    report.write_text(report.read_text().replace("name: insights_country", "name: creatives"))
    (project / "data" / "insights_country").rename(project / "data" / "creatives")

    found = read_reports(old_files(), preset_files())
    rows = publish(project / "data", catalog=found.catalog).rows

    [fault] = found.faults
    assert "defs.yaml:4: name: creatives: this name is reserved: fbinsights has a table" in fault
    assert fault.endswith("give the report another name")
    assert sorted(found.by_name) == ["insights_age_gender", "insights_daily", "insights_hourly"]
    assert {table: rows[table] for table in ROWS} == ROWS
    assert rows["creatives"] == 0
    assert list((project / "data" / "creatives").rglob("*.parquet"))


def test_an_open_day_that_was_called_proven_is_provisional_now(project: Path) -> None:
    lake = Lake(project / "data")
    loads = lake.loads().to_pylist()

    # 15:00 or so in Tokyo and Kolkata, when the day was loaded that was still open.
    unfinished = {one["date"] for one in loads if not one["is_over"]}
    assert len(unfinished) == 1
    assert all(one["is_over"] is not None and one["asked_at"] is None for one in loads)
    assert {one["verdict"] for one in loads if one["is_over"] is False} == {"provisional"}
    # It was 12:06 in Tokyo, and 09:06 three hours before.
    whole = {(one["last_whole_hour"], one["day_gone"]) for one in loads if not one["is_over"]}
    assert whole == {(8, 9 / 24)}
    assert {one["last_whole_hour"] for one in loads if one["is_over"]} == {None}
    assert "provisional" not in {one["verdict"] for one in loads if one["is_over"]}
    publish(project / "data")
    with warehouse.open(project / "data") as opened:
        found = opened.sql("select distinct date from loads where verdict = 'provisional'")
        assert {day for (day,) in found.fetchall()} == unfinished


def test_records_of_loads_are_read_as_they_were_written(project: Path) -> None:
    loads = Lake(project / "data").loads().to_pylist()

    tried = {(load["table_name"], load["verdict"]) for load in loads}
    assert ("insights_hourly", "unproven") in tried
    assert all(load["schema_version"] == 1 for load in loads)
    assert {load["conversions"] for load in loads} == {None}
    publish(project / "data")
    with warehouse.open(project / "data") as opened:
        told = "select distinct conversions, conversions_reason from loads"
        assert opened.sql(told).fetchall() == [(None, "")]


@pytest.mark.parametrize("wider", [0, -1])
def test_money_of_more_digits_is_published_beside_files_of_the_time_when_it_had_fewer(
    project: Path, wider: int
) -> None:
    """Whichever file is read first."""
    lake = Lake(project / "data")
    before = lake.read("campaigns").to_pylist()
    accounts = sorted({row["account_id"] for row in before})
    last = next(row for row in before if row["account_id"] == accounts[wider])
    changed = {"id": last["campaign_id"], "name": last["campaign_name"]}
    changed |= {"daily_budget": "9000000000000000001"}
    account = Account(last["account_id"], "Asia/Tokyo", "JPY")
    merge_objects(lake, "campaigns", [changed], account, NOW, complete=False)

    publish(project / "data")

    budgets = {row["campaign_id"]: row["daily_budget"] for row in before}
    budgets[last["campaign_id"]] = Decimal(9000000000000000001)
    with warehouse.open(project / "data") as opened:
        for table in ("campaigns", "lake.campaigns"):
            found = opened.sql(f"select campaign_id, daily_budget from {table}")  # noqa: S608
            assert dict(found.fetchall()) == budgets
        history = opened.sql("select max(daily_budget), count(*) from lake.campaigns_history")
        assert history.fetchall() == [(Decimal(9000000000000000001), len(before) + 1)]


@pytest.fixture
def environ(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """The settings of the project, with a sandbox like the one that it was made against."""
    # Its accounts had ids that Dagster's pages could not tell apart.
    monkeypatch.setattr(tree, "account_id_of", lambda _, index: f"5001{index:04}7310042")
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        for name, value in {
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
            "FB_ACCOUNT_IDS": ",".join([REFUSED, *SUMS]),
            "DAGSTER_HOME": str(project),
            "WAREHOUSE_URL": "./data",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project)  # its `dagster.yaml` names folders relative to it
        yield os.environ


def test_the_grid_and_a_schedule_that_was_turned_on_are_as_they_were(
    environ: Mapping[str, str],
) -> None:
    with open_instance(environ, open_store("./data")) as instance:
        cells = instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))
        on = [state.instigator_name for state in instance.all_instigator_state()]
        accounts = instance.get_dynamic_partitions("ad_accounts")

    assert cells == {
        *(f"act_500100027310042|2026-11-{day}" for day in (26, 27, 28, 29)),
        *(f"act_500100037310042|2026-11-{day}" for day in (25, 26, 27, 28)),
    }
    assert on == ["daily_refresh"]
    assert {f"act_{account}" for account in (REFUSED, *SUMS)} <= {*accounts}


def states(lake: Lake) -> Mapping[tuple[str, str], int]:
    """How many states of each object there are, by table and id."""
    tables = ("accounts", "campaigns", "adsets", "ads")
    ids = ((name, lake.read(f"{name}_history").column(0).to_pylist()) for name in tables)
    return Counter((name, one) for name, of_table in ids for one in of_table)


def test_a_refresh_goes_on_where_the_old_code_stopped(environ: Mapping[str, str]) -> None:
    lake = Lake("./data")
    before = states(lake)

    with open_instance(environ, lake.store) as instance:
        config = {"look": {"as_of": NOW.isoformat()}}
        assert run_job(instance, "refresh_job", config=config).success

    # Columns that are read for the first time are no changes: no object has another state.
    after = states(lake)
    assert {key: after[key] for key in before} == before
    settings = {
        row["targeting"] for row in lake.read("adsets_history", account_id=REFUSED).to_pylist()
    }
    assert settings
    assert None not in settings

    loads = {
        (load["account_id"], load["date"].day): load
        for load in lake.loads().to_pylist()
        if load["table_name"] == "insights_hourly"
    }
    # What failed, what did not add up, and the newest day.
    again = [(REFUSED, 26), (REFUSED, 27), ("500100037310042", 25), ("500100037310042", 28)]
    assert {loads[cell]["verdict"] for cell in again} == {"proven"}
    # Hours prove no conversions. Of what was not loaded again nobody has looked.
    assert {loads[cell]["conversions"] for cell in again} == {"unprovable"}
    old = [load for load in loads.values() if load["schema_version"] == 1]
    assert old
    assert {load["conversions"] for load in old} == {None}
    assert {loads[cell]["schema_version"] for cell in again} == {2}
    # What the old code did not know of is listed; what it did not read of the rest is no change.
    assert all(lake.partitions(row.name) for row in OWN.listed)
    ended = {
        table: [one for one in lake.read(f"{table}_history")["valid_to"].to_pylist() if one]
        for table in ("accounts", "campaigns", "adsets", "ads")
    }
    assert not any(ended.values()), ended
    # Neither had a source or a lake of its own: both took the first that they met.
    identity = identity_of(lake.store)
    assert identity
    assert identity.graph == ("the sandbox with seed 1",)
    other = open_store("./other")
    with (
        pytest.raises(ConfigError, match="one grid cannot show two lakes"),
        open_instance(environ, other),
    ):
        pass


def test_ticks_of_today_go_on_from_a_lake_that_knew_none(
    environ: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One account has an open day that the old code loaded, and called proven."""
    codes = [run_one_tick(environ, KNOWN, now=lambda: NOW, is_watched=True) for _ in range(2)]
    first, looked, again, looked_again = capsys.readouterr().out.splitlines()
    shown = run_today(environ, (), NOW)

    assert (codes, shown) == ([0, 0], 0)
    assert first.startswith("3 accounts, 3 asked for their totals; ")
    assert again.startswith("3 accounts, 3 asked for their totals; 0 open days loaded, ")
    assert looked.startswith("3 accounts looked at: nothing unusual")
    assert looked_again == looked
    with warehouse.open("./data") as opened:
        query = "from today select account_id, date, spend where level = 'account'"
        rows = opened.sql(query).fetchall()
        known = opened.sql("from intraday_totals select account_id, date, spend").fetchall()
    assert {*rows} & {*known} == {*rows}
    assert {row[0] for row in rows} >= SUMS.keys()
