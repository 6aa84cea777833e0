"""What failed is in the published file: since when, why, and how to load it again."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import warehouse
from pipelines.cli.main import cli
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import preset_files
from tests.clock import NOW
from tests.reports import KNOWN
from tests.runs import run_job
from warehouse.lake.defects.failures import Failed, failure_key, failure_rows, find_failures
from warehouse.published.publish import lag, publish
from warehouse.schema.catalog import OWN
from warehouse.storage.state import save

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import dagster as dg

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


def failures(lake: Lake) -> list[dict[str, Any]]:
    with warehouse.open(lake.root) as opened:
        rows: list[dict[str, Any]] = opened.arrow("from failures").to_pylist()
    return rows


def test_the_command_of_every_failure_loads_what_failed(
    sandbox: Sandbox, client: GraphClient, lake: Lake
) -> None:
    """Of every table that there is, also of objects that were listed today and are not due."""
    account, day = sandbox.account_ids[3], date(2026, 11, 20)
    objects, reports = lake.catalog.objects, KNOWN.by_name
    session = Session(client, lake, "run-1", lambda: NOW, Recording())
    session.load_accounts(discover(client, [account]))
    session.list_objects([account])
    periods = {name: report.period.first(day) for name, report in reports.items()}
    for name, first in {**dict.fromkeys(objects), **periods}.items():
        save(lake.store, failure_key(name, account, first), asdict(Failed("why", NOW.isoformat())))

    rows = failure_rows(lake.store, find_failures(lake.store), lake.catalog.tables)

    assert {row["table_name"] for row in rows} == objects.keys() | reports.keys()
    for row in rows:
        program, name, *options = shlex.split(row["command"])
        with cli.commands[name].make_context(name, options) as context:
            given = context.params
        assert (program, given["accounts"]) == ("fbinsights", (f"act_{account}",))
        if row["table_name"] in reports:
            first = row["date"]
            assert (name, given["reports"]) == ("backfill", (row["table_name"],))
            assert (given["since"], given["until"]) == (first, first)
            assert reports[row["table_name"]].starts([first]) == [first]
        else:
            assert (name, given["full"]) == ("refresh", False)
    session.load_accounts(discover(client, [account]))
    assert {one.table for one in session.list_objects([account])} == objects.keys() - {"accounts"}
    left = failure_rows(lake.store, find_failures(lake.store), lake.catalog.tables)
    assert {row["table_name"] for row in left} == reports.keys()


def test_an_account_day_that_fails_is_a_row_until_it_is_loaded(
    sandbox: Sandbox, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    sandbox.use("forbidden_account")
    load(days[:2], run_id="run-2")

    publish(lake.root)

    forbidden = sandbox.account_ids[1]
    rows = failures(lake)
    assert [(row["table_name"], row["account_id"], row["date"]) for row in rows] == [
        ("insights_hourly", forbidden, day) for day in days[:2]
    ]
    assert all("#200" in row["reason"] and row["run_id"] == "run-2" for row in rows)
    assert {row["failed_at"].astimezone(NOW.tzinfo) for row in rows} == {NOW}
    assert rows[0]["command"] == (
        f"fbinsights backfill --since {days[0]} --until {days[0]} --account act_{forbidden}"
        " --report insights_hourly"
    )
    # It is a command that there is: only what it needs from outside is missing.
    tried = CliRunner().invoke(
        cli, shlex.split(rows[0]["command"])[1:], env={"FB_ACCESS_TOKEN": ""}
    )
    assert "FB_ACCESS_TOKEN" in tried.output

    sandbox.use()
    load(days[:2])
    assert lag(lake).is_behind
    publish(lake.root)
    assert failures(lake) == []


def test_a_failure_that_nobody_has_removed_yet_is_none_where_a_later_load_is_there(
    sandbox: Sandbox, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    """A load replaces the file, and only then removes the failure."""
    sandbox.use("forbidden_account")
    load(days[:1])
    forbidden = sandbox.account_ids[1]
    key = f".failed/insights_hourly/{forbidden}/{days[0]}.json"
    kept = lake.store.read(key)
    sandbox.use()
    load(days[:1])

    lake.store.note(key, kept.decode().replace("T20:00", "T19:59"))
    publish(lake.root)

    assert failures(lake) == []


def test_a_table_whose_file_is_deleted_leaves_the_failures_and_stays_published(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "type: pipelines.components.ObjectTable\n"
        "attributes: {name: mine, edge: adlabels, fields: [name]}\n",
        "utf-8",
    )
    Failures(lake.store, "mine").note_whole({"1": "(#3) No"}, NOW)
    Failures(lake.store, "ads").note_whole({"1": "(#3) No"}, NOW)
    tables = {}
    for files in ([path, *preset_files()], preset_files()):
        published = publish(lake.root, catalog=read_reports(files).catalog)
        tables[len(files)] = {row["table_name"] for row in failures(lake)}
        assert "mine" in published.rows

    assert [*tables.values()] == [{"ads", "mine"}, {"ads"}]


def test_a_failure_that_is_removed_makes_the_published_file_follow(
    sandbox: Sandbox, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    """A publish may come between the new file and that."""
    sandbox.use("forbidden_account")
    load(days[:1])
    failed = Failures(lake.store, "insights_hourly")
    before = failed.of(sandbox.account_ids[1])
    sandbox.use()
    [good] = load(days[:1], [sandbox.account_ids[1]])
    failed.note(replace(good, load=None, error="(#200) No"), NOW, "run-2")
    publish(lake.root)

    failed.note(good, NOW, "run-3")

    assert list(before) == days[:1]
    assert lag(lake).is_behind
    publish(lake.root)
    assert failures(lake) == []
    failed.note(good, NOW, "run-4")
    assert not lag(lake).is_behind


def test_a_failed_load_alone_makes_the_published_file_follow(
    sandbox: Sandbox, lake: Lake, load: Callable[..., Any], days: Sequence[date]
) -> None:
    load(days[:1])
    publish(lake.root)
    sandbox.use("forbidden_account")

    load(days[:1], [sandbox.account_ids[1]])

    assert lag(lake).is_behind
    publish(lake.root)
    assert len(failures(lake)) == 1


def test_since_when_it_fails_stays_while_the_last_try_moves(lake: Lake) -> None:
    listed = Failures(lake.store, "campaigns")
    listed.note_whole({"11": "(#200) No", "12": ""}, NOW)
    listed.note_whole({"11": "(#200) Still no"}, NOW.replace(hour=23))

    publish(lake.root)

    [row] = failures(lake)
    assert (row["table_name"], row["account_id"], row["date"]) == ("campaigns", "11", None)
    assert (row["failing_since"].hour, row["failed_at"].hour) == (20, 23)
    assert (row["reason"], row["command"]) == (
        "(#200) Still no",
        "fbinsights refresh --account act_11",
    )
    listed.note_whole({"11": ""}, NOW)
    assert lag(lake).is_behind
    publish(lake.root)
    assert failures(lake) == []


@pytest.mark.slow
def test_objects_that_could_not_be_listed_are_a_row_without_a_day(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("forbidden_account")
    keys = [f"act_{account_id}" for account_id in sandbox.account_ids]

    run_job(instance, "objects_job", keys[0], keys[-1])
    publish(lake.root)

    tables = {row["table_name"] for row in failures(lake)}
    assert tables == {row.name for row in OWN.listed}
    assert {row["account_id"] for row in failures(lake)} == {sandbox.account_ids[1]}
    sandbox.use()
    run_job(instance, "objects_job", keys[0], keys[-1])
    publish(lake.root)
    assert failures(lake) == []


def test_files_that_are_no_failures_of_ours_cost_nothing(lake: Lake) -> None:
    for name in ("insights_hourly/11/2026-13-40", "insights_hourly/x/2026-11-21", "gone/11/all"):
        lake.store.note(f".failed/{name}.json", "{}")
    lake.store.note(".failed/insights_hourly/11/2026-11-21.json", '{"error": "cut sh')

    publish(lake.root)

    [row] = failures(lake)
    assert (row["account_id"], row["date"], row["failed_at"]) == ("11", date(2026, 11, 21), None)
    assert list(Failures(lake.store, "insights_hourly").of("11")) == [date(2026, 11, 21)]


def test_failures_that_cannot_be_recorded_are_one_warning(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    (lake.root / ".failed").write_text("in the way")
    failures = Failures(lake.store, "insights_hourly")

    for day in (20, 21):
        outcome = Outcome(AccountDay("1", date(2026, 11, day)), error="(#200) No")
        failures.note(outcome, NOW, "run-1")

    assert [one.getMessage()[:57] for one in caplog.records if one.levelname == "WARNING"] == [
        "insights_hourly: why account-days failed cannot be record"
    ]
