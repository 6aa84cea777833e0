"""The command as a person runs it: a process of its own, a sandbox on a socket, files on disk."""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from fbgraph.sandbox import Sandbox
from pipelines.defs.partitions import WHOLE, account_days_of
from tests.e2e.company import DAYS, QUESTION, RANGE, ROOT, SECRET, Company, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company whose three days were loaded by one `backfill`."""
    folder = tmp_path_factory.mktemp("loaded")
    with start() as sandbox:
        company = Company(sandbox, folder, is_seeded=False)
        company.first = company.run("backfill", *RANGE)  # type: ignore[attr-defined]
        yield company


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company of which nothing is ever loaded."""
    with start(accounts=1) as sandbox:
        yield Company(sandbox, tmp_path_factory.mktemp("empty"))


def test_a_backfill_answers_the_question_of_the_readme_with_the_sandboxs_truth(
    loaded: Company,
) -> None:
    first: subprocess.CompletedProcess[str] = loaded.first  # type: ignore[attr-defined]

    # A slow machine prints its progress twice a minute.
    told = [line for line in first.stderr.splitlines() if " account-days; " not in line]
    assert (first.returncode, told) == (0, [])
    assert "Sakura 東京" in first.stdout
    rows = csv.DictReader(loaded.run("query", QUESTION, "--format", "csv").stdout.splitlines())
    assert [
        (r["account_id"], date.fromisoformat(r["date"]), int(r["n"]), Decimal(r["spend"]))
        for r in rows
    ] == loaded.truth()


def test_every_account_day_is_recorded_as_proven(loaded: Company) -> None:
    done = loaded.run(
        "query",
        "select verdict, count(*) as n from loads where report_run_ids <> [] group by all",
        "--format",
        "csv",
    )

    assert done.stdout.splitlines() == ['"verdict","n"', f'"proven",{7 * len(DAYS)}']


def test_dagster_shows_what_was_loaded_and_checked_though_no_run_of_its_loaded_it(
    loaded: Company,
) -> None:
    cells = {f"act_{i}|{day}" for i in loaded.sandbox.account_ids for day in DAYS}
    hourly, campaigns = dg.AssetKey("insights_hourly"), dg.AssetKey("campaigns")
    with dg.DagsterInstance.from_config(str(loaded.home)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("warehouse_duckdb"))
        green = (
            instance.get_status_by_partition(hourly, sorted(cells), account_days_of(WHOLE)) or {}
        )
        objects = instance.get_materialized_partitions(campaigns)
        [check] = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(hourly, "complete"), limit=1
        )
        runs = instance.get_runs()
        done = instance.get_latest_materialization_event(dg.AssetKey("command_line"))
        health = instance.get_latest_materialization_event(dg.AssetKey("health"))
        totals = instance.get_materialized_partitions(dg.AssetKey("control_daily"))

    assert event is not None
    assert event.asset_materialization is not None
    rows = event.asset_materialization.metadata["rows_of_insights_hourly"].value
    assert rows == sum(n for _, _, n, _ in loaded.answers())
    assert {str(status) for status in green.values()} == {"AssetPartitionStatus.MATERIALIZED"}
    assert objects == {f"act_{i}" for i in loaded.sandbox.account_ids}
    assert check.status.value == "SUCCEEDED"
    assert runs == []
    assert totals == cells
    assert done is not None
    assert done.asset_materialization is not None
    said = str(done.asset_materialization.description)
    assert said.startswith(f"fbinsights backfill {' '.join(RANGE)}"), said
    assert f"{len(cells)} account-days loaded ({len(cells)} of insights_hourly)" in said
    assert health is not None
    assert health.asset_materialization is not None
    assert health.asset_materialization.metadata["rows"].value == rows
    assert not list(loaded.lake.glob(".unreported/*"))


def test_a_second_backfill_leaves_exactly_the_same_rows(loaded: Company) -> None:
    everything = "select * from insights_hourly order by all"
    before = loaded.run("query", everything, "--format", "json").stdout

    again = loaded.run("backfill", *RANGE)

    assert again.returncode == 0
    assert loaded.run("query", everything, "--format", "json").stdout == before
    assert len(before.splitlines()) == sum(n for _, _, n, _ in loaded.truth())


def test_the_token_and_the_secret_are_in_nothing_that_a_run_leaves_behind(loaded: Company) -> None:
    first: subprocess.CompletedProcess[str] = loaded.first  # type: ignore[attr-defined]
    secrets = [loaded.sandbox.token, SECRET]

    files = [path for path in loaded.folder.rglob("*") if path.is_file()]
    leaks = [path for path in files if any(s.encode() in path.read_bytes() for s in secrets)]

    assert len(files) > 50
    assert leaks == []
    assert not any(secret in first.stdout + first.stderr for secret in secrets)


def test_the_doctor_finds_everything_in_order(loaded: Company) -> None:
    done = loaded.run("doctor")

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert [line[:5] for line in lines] == ["ok   "] * len(lines)
    # Token, version, retirements, warehouse, published file, reader.
    assert len(lines) == 6 + len(loaded.sandbox.account_ids)
    assert "ads_read" in done.stdout


def test_of_a_day_that_nobody_loaded_today_says_what_to_do(loaded: Company) -> None:
    done = loaded.run("today")

    assert (done.returncode, done.stdout) == (1, "")
    number = len(loaded.sandbox.account_ids)
    assert f"Today has not been asked yet for {number} accounts: " in done.stderr
    assert "Turn on the schedule `intraday` in Dagster, or run `" in done.stderr


@pytest.mark.parametrize(("scenario", "proven"), [((), "3"), (("actions_missing",), "0")])
def test_the_table_says_on_how_many_days_conversions_add_up_and_holds_nothing_back(
    fresh: Company, scenario: tuple[str, ...], proven: str
) -> None:
    fresh.sandbox.use(*scenario)
    account = f"act_{fresh.sandbox.account_ids[0]}"
    reports = ("--report", "insights_hourly", "--report", "insights_daily")

    done = fresh.run("backfill", *RANGE, "--account", account, *reports)

    header, _, *lines = (
        re.split(r" {2,}", line) for line in done.stdout.splitlines() if "  " in line
    )
    told = {row["report"]: row for row in (dict(zip(header, one, strict=True)) for one in lines)}
    assert done.returncode == 0, done.stderr
    assert {name: row["proven"] for name, row in told.items()} == dict.fromkeys(reports[1::2], "3")
    assert told["insights_daily"]["conversions"] == proven
    assert told["insights_hourly"]["conversions"] == "unprovable"


def test_only_the_accounts_that_are_set_are_loaded(fresh: Company) -> None:
    some = fresh.sandbox.account_ids[2]

    done = fresh.run("backfill", *RANGE, FB_ACCOUNT_IDS=f"act_{some}")

    assert done.returncode == 0, done.stderr
    assert fresh.answers() == fresh.truth([some])


def test_accounts_that_are_not_neighbours_are_loaded_without_those_between(fresh: Company) -> None:
    first, last = fresh.sandbox.account_ids[0], fresh.sandbox.account_ids[-1]

    done = fresh.run("backfill", *RANGE, "--account", first, "--account", f"act_{last}")

    assert done.returncode == 0, done.stderr
    assert fresh.answers() == fresh.truth(sorted([first, last]))


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (RANGE, {"FB_ACCESS_TOKEN": ""}, "FB_ACCESS_TOKEN is not set"),
        (RANGE, {"FB_ACCESS_TOKEN": "EAAnobody"}, "put it in FB_ACCESS_TOKEN"),
        (RANGE, {"FB_APP_SECRET": ""}, "Set FB_APP_SECRET"),
        ((*RANGE, "--account", "42"), {}, "does not see act_42. It sees:"),
    ],
)
def test_wrong_use_is_told_in_a_line_before_anything_is_touched(
    empty: Company, arguments: Sequence[str], environ: dict[str, str], said: str
) -> None:
    """By the environment, by Meta, and by what both say; test_settings.py and test_selection.py
    have all that can be wrong.
    """
    done = empty.run("backfill", *arguments, **environ)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(empty.lake.rglob("*.parquet"))


def test_an_expired_token_touches_no_partition(loaded: Company) -> None:
    files = {path: path.stat().st_mtime_ns for path in loaded.lake.rglob("*.parquet")}

    done = loaded.run("backfill", *RANGE, FB_ACCESS_TOKEN=loaded.sandbox.expired_token)

    assert done.returncode == 2
    assert "Session has expired" in done.stderr
    assert "Create a new access token" in done.stderr
    assert loaded.sandbox.expired_token not in done.stderr
    assert {p: p.stat().st_mtime_ns for p in loaded.lake.rglob("*.parquet")} == files


def test_a_refresh_loads_the_newest_days_and_then_only_what_moved(tmp_path: Path) -> None:
    with Sandbox(world="hostile", app_secret=SECRET) as sandbox:
        company = Company(sandbox, tmp_path)
        account = sandbox.account_ids[6]
        assert company.run("refresh", "--full", "--account", account).returncode == 0
        before = dict(company.loads())
        sandbox.use("restated_days:20")

        done = company.run("refresh", "--account", account)

        moved = {day for day, spend in company.loads() if spend != before[day]}
        loaded = done.stdout.splitlines()[2].split()
        assert done.returncode == 0, done.stderr
        assert "9 of the newest" in done.stderr  # three days of three reports
        assert f"act_{account}" in loaded
        assert (
            3
            <= len(moved | set(sorted(before)[-3:]))
            == int(loaded[loaded.index("insights_hourly") + 1])
        )
        assert all(
            spend == Decimal(sandbox.truth(account, day)["sums"]["spend"])
            for day, spend in company.loads()
        )


def test_a_publish_is_in_dagster_without_a_load(fresh: Company) -> None:
    done = fresh.run("publish")

    with dg.DagsterInstance.from_config(str(fresh.home)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("warehouse_duckdb"))
    assert (done.returncode, done.stderr) == (0, "")
    assert event


def test_a_query_that_cannot_be_read_gives_duckdbs_words(empty: Company) -> None:
    done = empty.run("query", "selec 1")

    assert (done.returncode, done.stdout) == (2, "")
    assert "syntax error" in done.stderr


def test_the_shell_answers_what_is_piped_in_and_cannot_write(loaded: Company) -> None:
    asked = ".mode csv\nselect count(*) as n, min(hour_start_utc) as since from insights_hourly;\n"

    answered = loaded.run("sql", stdin=asked + "drop table loads;\n")
    fine = loaded.run("sql", stdin="select 1;\n")

    rows = sum(n for _, _, n, _ in loaded.truth())
    header, line = answered.stdout.splitlines()
    assert (header, line.split(",")[0]) == ("n,since", str(rows))
    assert line.endswith("+00")  # in UTC
    assert answered.returncode == 1
    assert "read-only mode" in answered.stderr
    assert fine.returncode == 0


def test_the_shell_opens_a_warehouse_that_was_never_published(fresh: Company) -> None:
    done = fresh.run("sql", stdin=".mode csv\nselect count(*) as n from campaign_hourly;\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, "n\n0\n", "")


def test_the_dictionary_can_be_printed_whole_or_one_table_of_it(empty: Company) -> None:
    whole, loads, none = empty.run("docs"), empty.run("docs", "loads"), empty.run("docs", "nope")

    assert whole.stdout == (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert loads.stdout.startswith("## loads\n")
    assert loads.stdout.rstrip("\n") in whole.stdout
    assert (none.returncode, none.stdout) == (2, "")
    assert "There is no table or view 'nope'. Choose from: accounts, campaigns" in none.stderr


@pytest.mark.parametrize("command", [(), ("backfill",)])
def test_help_shows_how_and_needs_no_token(empty: Company, command: Sequence[str]) -> None:
    done = empty.run(*command, "--help", FB_ACCESS_TOKEN="")

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: fbinsights")
