"""Standard streams that are closed, full or no longer read: the command does its work, ends without
a traceback, and says what could not be printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.company import RANGE, Company, start

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = "fbinsights: Cannot write to stdout: No space left on device."
BACKFILL = f"fbinsights backfill {' '.join(RANGE)}"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with start() as sandbox:
        company = Company(sandbox, tmp_path_factory.mktemp("streams"))
        assert company.run("backfill", *RANGE).returncode == 0
        yield company


@pytest.mark.parametrize(
    ("command", "streams", "code"),
    [
        ("--help", ">&-", 0),
        ("check", "<&- >&- 2>&-", 0),
        ("check", "2>/dev/full", 0),
        ("docs", "| true", 0),
        ("doctor", "| true", 0),
        ("doctor", "2>&-", 0),
        (f"plan {' '.join(RANGE)}", ">&-", 0),
        ("status --since 2026-11-19 --until 2026-11-22", "| true", 1),
        ("status --json --since 2026-11-19 --until 2026-11-22", "<&- >&- 2>&-", 1),
        ("query 'from insights_hourly' --format csv", "| true", 0),
        ("query 'from insights_hourly' --format json", "| head -1", 0),
        ("query 'from insights_hourly' --format parquet", ">&-", 0),
        ("query 'from no_such_table'", "2>/dev/full", 2),
        ("query 'from no_such_table'", ">&- 2>&-", 2),
    ],
)
def test_what_is_printed_to_nobody_changes_neither_the_work_nor_the_exit_code(
    company: Company, command: str, streams: str, code: int
) -> None:
    done = company.shell(f"fbinsights {command} {streams}")

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("command", ["--help", "doctor", "query 'from loads'"])
def test_a_full_disk_behind_stdout_is_named_and_is_a_failure(
    company: Company, command: str
) -> None:
    done = company.shell(f"fbinsights {command} >/dev/full")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(FULL)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("streams", "code"),
    [
        (">&-", 0),
        pytest.param("| head -1 >/dev/null", 0, marks=pytest.mark.slow),
        pytest.param("2>&-", 0, marks=pytest.mark.slow),
        (">/dev/full", 1),
    ],
)
def test_a_load_goes_on_whether_or_not_its_table_can_be_printed(
    fresh: Company, streams: str, code: int
) -> None:
    done = fresh.shell(f"{BACKFILL} {streams}")

    assert done.returncode == code, done.stderr
    assert fresh.answers() == fresh.truth()
    # A slow machine prints its progress twice a minute.
    told = [line for line in done.stderr.splitlines() if " account-days; " not in line]
    if code:
        totals, why = told
        assert totals.startswith("9 account-days: 9 proven. ")
        assert why.startswith(FULL)
    else:
        assert told == []


def test_a_file_that_is_opened_is_never_the_standard_stream_that_was_closed(
    fresh: Company,
) -> None:
    done = fresh.shell(f"{BACKFILL} <&- >&- 2>&-; echo $?")

    assert done.stdout == "0\n"
    assert fresh.answers() == fresh.truth()
