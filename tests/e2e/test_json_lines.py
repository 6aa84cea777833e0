"""`--json` and `--quiet` as a program uses them: a process of its own, stdout parsed line by line
and held against the lake.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from tests.e2e.company import DAYS, SECRET, Company, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

REPORTS = ("--report", "insights_hourly", "--report", "insights_daily")
RANGE = ("--since", str(DAYS[0]), "--until", str(DAYS[-1]), *REPORTS)

#: What the published file says of the same account-days.
LOADS = """select 'act_' || account_id, table_name, date::text, verdict, rows, impressions, clicks,
spend, calls, conversions from loads where table_name like 'insights_%' order by all"""


#: Its columns.
KEYS = (
    *("account", "report", "day", "verdict", "rows", "impressions", "clicks", "spend", "calls"),
    "conversions",
)


def objects(done: subprocess.CompletedProcess[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The account-days that were printed, and the last line."""
    *lines, last = (json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines())
    assert {line["kind"] for line in lines} <= {"account_day", "finding"}
    assert (last["kind"], last["exit_code"]) == ("total", done.returncode)
    return lines, last


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company of which one account may not be read, loaded with `--json`."""
    with start() as sandbox:
        company = Company(sandbox, tmp_path_factory.mktemp("json"))
        sandbox.use("forbidden_account")
        company.first = company.run("backfill", *RANGE, "--json")  # type: ignore[attr-defined]
        sandbox.use()
        yield company


def loads(company: Company) -> list[tuple[Any, ...]]:
    with warehouse.open(company.lake) as opened:
        return opened.sql(LOADS).fetchall()


def test_a_backfill_prints_each_account_day_as_the_lake_has_it_and_nothing_else(
    company: Company,
) -> None:
    lines, last = objects(company.first)  # type: ignore[attr-defined]
    forbidden = f"act_{company.sandbox.account_ids[1]}"

    loaded = [line for line in lines if line["verdict"] != "failed"]
    failed = [line for line in lines if line["verdict"] == "failed"]
    printed = sorted(tuple(line[key] for key in KEYS) for line in loaded)
    assert printed == loads(company)
    assert len(lines) == 7 * len(DAYS) * 2
    assert {(line["account"], line["account_name"]) for line in failed} == {
        (forbidden, "Sunset Outfitters")
    }
    assert all(line["error"].startswith("(#200)") and line["rows"] is None for line in failed)
    assert (last["exit_code"], last["account_days"]) == (1, len(lines))
    assert last["verdicts"] == {"proven": len(loaded), "failed": len(failed)}
    assert last["rows"] == sum(line["rows"] for line in loaded)
    assert {one["table"] for one in last["failures"]} == {"campaigns", "adsets", "ads"}
    assert len(last["run_again"]) == 1
    assert "Failed" not in company.first.stderr  # type: ignore[attr-defined]


def test_status_prints_what_the_lake_has_and_why_something_failed(company: Company) -> None:
    lines, last = objects(company.run("status", *RANGE, "--json"))

    by_verdict = {line["verdict"] for line in lines}
    assert by_verdict == {"proven", "failed"}
    assert [line["error"] is None for line in lines] == [
        line["verdict"] == "proven" for line in lines
    ]
    assert sum(line["rows"] or 0 for line in lines) == sum(row[4] for row in loads(company))
    assert last["verdicts"]["failed"] == 2 * len(DAYS)


def test_a_plan_prints_rows_and_calls_that_add_up_to_its_totals(company: Company) -> None:
    lines, last = objects(company.run("plan", *RANGE, "--json"))

    assert {line["verdict"] for line in lines} == {"planned"}
    assert sum(line["rows"] for line in lines) == last["rows"]
    assert sum(line["calls"] for line in lines) == last["calls"]
    assert {line["basis"] for line in lines} == {"from 3 loaded days", "from 6 other accounts"}
    assert last["guessed_rows"] == 0


def test_the_doctor_prints_its_findings(company: Company) -> None:
    lines, last = objects(company.run("doctor", "--json"))

    assert {line["what"] for line in lines} >= {"token", "warehouse", "published"}
    assert last["ok"] == len(lines)


def test_duckdb_reads_the_lines_without_being_told_how(company: Company) -> None:
    done: subprocess.CompletedProcess[str] = company.first  # type: ignore[attr-defined]
    path = company.folder / "loaded.jsonl"
    path.write_text(done.stdout, encoding="utf-8")

    read = duckdb.read_json(str(path)).filter("verdict = 'proven'")
    [(number, spend)] = read.aggregate("count(*), sum(spend)").fetchall()

    assert number == 6 * len(DAYS) * 2
    assert spend == pytest.approx(float(sum(row[7] for row in loads(company))))


@pytest.mark.parametrize("command", ["backfill", "plan", "status"])
def test_wrong_use_is_an_object_too(company: Company, command: str) -> None:
    done = company.run(command, *RANGE, "--account", "42", "--json")

    lines, last = objects(done)
    assert (lines, last["command"], last["exit_code"]) == ([], command, 2)
    assert "act_42" in last["error"]


def test_a_quiet_backfill_prints_the_result_and_what_failed_and_no_more(company: Company) -> None:
    company.sandbox.use("forbidden_account")
    done = company.run("backfill", *RANGE, "--quiet")
    company.sandbox.use()

    first, *_ = (line for line in done.stderr.splitlines() if line)
    assert done.returncode == 1
    assert done.stdout.startswith("account ")
    assert first == "Failed:"


def test_quiet_ones_that_find_nothing_wrong_say_nothing_on_stderr(company: Company) -> None:
    account = ("--account", company.sandbox.account_ids[0])

    status = company.run("status", *RANGE, *account, "--quiet")
    doctor = company.run("doctor", "--quiet")

    assert (status.returncode, status.stderr) == (0, "")
    assert (doctor.returncode, doctor.stdout, doctor.stderr) == (0, "", "")


def test_a_refresh_prints_what_it_reloaded_and_why(tmp_path: Path) -> None:
    with Sandbox(world="hostile", app_secret=SECRET) as sandbox:  # with the time of the machine
        company = Company(sandbox, tmp_path)
        account = sandbox.account_ids[0]

        lines, last = objects(company.run("refresh", "--account", account, "--json"))

        printed = sorted(tuple(line[key] for key in KEYS) for line in lines)
        assert printed == loads(company)
    assert len(lines) == 3 * 3  # days and reports
    assert last["reloaded"] == {"fresh": len(lines)}
    assert last["calls_to_compare"] >= 1
    assert last["calls_in_all"] > last["calls"] + last["calls_to_compare"]
