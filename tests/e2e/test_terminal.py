"""The command on a real terminal of 80 and of 200 columns, against a sandbox on a socket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from fbgraph.sandbox import Sandbox
from tests.pace import QUICK_DISK
from tests.pseudo_terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pseudo_terminal import Seen

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SINCE, UNTIL = "2026-11-20", "2026-11-22"
RANGE = ("--since", SINCE, "--until", UNTIL)
COMMAND = str(Path(sys.executable).with_name("fbinsights"))


class Desk:
    """One sandbox, one folder, and terminals at which the command is typed."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self._seen: dict[tuple[int, tuple[str, ...]], Seen] = {}
        (folder / "home").mkdir()
        (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    @property
    def settings(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            **QUICK_DISK,
            "HOME": str(self.folder),
            "DAGSTER_HOME": str(self.folder / "home"),
            "FB_GRAPH_URL": self.sandbox.url,
            "FB_ACCESS_TOKEN": self.sandbox.token,
            "WAREHOUSE_URL": str(self.folder / "lake"),
            "FB_MEDIA": "0",  # pictures have addresses that end, and the sandbox's clock stands
        }

    def type(self, columns: int, *arguments: str, ctrl_c_after: str = "", **environ: str) -> Seen:
        env = self.settings | environ
        command = [COMMAND, *arguments]
        return run_on_terminal(
            command, columns, cwd=self.folder, env=env, ctrl_c_after=ctrl_c_after
        )

    def seen(self, columns: int, *arguments: str) -> Seen:
        """What a command showed when it was first typed at such a terminal: several tests look at
        it.
        """
        key = columns, arguments
        if key not in self._seen:
            self._seen[key] = self.type(columns, *arguments)
        return self._seen[key]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A company of which one account may not be read, loaded at a terminal of 80 columns."""
    with Sandbox(world="hostile", now=lambda: NOW) as sandbox:
        desk = Desk(sandbox, tmp_path_factory.mktemp("desk"))
        sandbox.use("forbidden_account")
        desk.first = desk.type(80, "backfill", *RANGE)  # type: ignore[attr-defined]
        yield desk


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(
    "command",
    [
        ("--help",),
        ("backfill", "--help"),
        ("plan", *RANGE),
        ("status", *RANGE),
        ("doctor",),
        ("backfill", *RANGE, "--report", "insights_daily"),
        ("query", "from loads"),
        ("backfill", "--since", SINCE, "--until", UNTIL, "--account", "act_1"),
    ],
    ids=lambda command: " ".join(command[:1] if command[0] != "backfill" else command[-2:]),
)
def test_no_line_is_wider_than_the_terminal(
    desk: Desk, command: tuple[str, ...], columns: int
) -> None:
    seen = desk.seen(columns, *command)

    assert seen.lines
    assert seen.wider_than(columns) == []
    assert "Traceback" not in seen.text


def test_a_backfill_is_told_by_account_in_80_columns_and_its_failures_once(desk: Desk) -> None:
    first: Seen = desk.first  # type: ignore[attr-defined]
    forbidden = f"act_{desk.sandbox.account_ids[1]}"

    at = first.lines.index(f"{forbidden}  Sunset Outfitters  USD")
    report, proven, failed = first.lines[at + 1].split()[:3]
    assert first.code == 1
    assert first.wider_than(80) == []
    assert (report, proven, failed) == ("insights_hourly", "0", "3")
    assert first.text.count("Ad account owner has NOT grant") == 1
    assert f"campaigns, adsets, ads; insights_hourly, insights_daily: {SINCE} to {UNTIL}" in (
        first.text
    )
    command = first.text.replace(" \\ ", " ")  # cut where a shell joins it again
    assert command.endswith(f"backfill --since {SINCE} --until {UNTIL} --account {forbidden}")


def test_a_terminal_of_200_columns_has_every_column(desk: Desk) -> None:
    seen = desk.seen(200, "backfill", *RANGE, "--report", "insights_daily")

    [header] = [line for line in seen.lines if line.startswith("account ")]
    assert header.split() == [
        *("account", "name", "report", "days", "proven", "failed", "conversions"),
        *("rows", "impressions", "clicks", "spend", "currency", "calls"),
    ]


def test_ctrl_c_leaves_the_terminal_as_it_was_and_says_what_to_do(desk: Desk) -> None:
    seen = desk.type(80, "backfill", *RANGE, ctrl_c_after="insights_hourly")

    assert seen.code == 130
    assert seen.raw.count("\x1b[?25h") == seen.raw.count("\x1b[?25l") == 1  # the cursor is back
    assert seen.text.endswith("Run the same command again to resume.")
    assert "Traceback" not in seen.text


@pytest.mark.parametrize(
    ("environ", "unseen"), [({"NO_COLOR": "1"}, r"\x1b\[[0-9;]+m"), ({"TERM": "dumb"}, r"\x1b")]
)
def test_colours_and_cursors_are_kept_from_terminals_that_do_not_want_them(
    desk: Desk, environ: dict[str, str], unseen: str
) -> None:
    one = ("--account", desk.sandbox.account_ids[0], "--report", "insights_daily")

    seen = desk.type(80, "backfill", *RANGE, *one, **environ)

    assert re.findall(unseen, seen.raw.replace("\x1b[0m", "")) == []
    assert seen.wider_than(80) == []


@pytest.mark.parametrize("command", ["docs", "status --json", "status"])
def test_what_is_piped_into_head_ends_without_a_word(desk: Desk, command: str) -> None:
    done = subprocess.run(  # noqa: S602  # a pipe is what is tried
        f"{COMMAND} {command} 2>errors | head -1",
        shell=True,
        cwd=desk.folder,
        env=desk.settings,
        capture_output=True,
        text=True,
        check=True,
    )

    errors = (desk.folder / "errors").read_text(encoding="utf-8")
    assert len(done.stdout.splitlines()) == 1
    assert "Broken pipe" not in errors
    assert "Traceback" not in errors


def test_parquet_is_not_written_to_a_terminal(desk: Desk) -> None:
    seen = desk.type(80, "query", "from loads", "--format", "parquet")

    assert seen.code == 2
    assert "PAR1" not in seen.raw
    assert "--format parquet > answer.parquet" in seen.text


def test_columns_begin_at_the_same_cell_whatever_script_a_name_is_in(desk: Desk) -> None:
    seen = desk.seen(200, "status", *RANGE)

    rows = [line for line in seen.lines if line.startswith("act_") and "  insights_h" in line]
    starts = {cell_len(row[: row.index("insights_hourly")]) for row in rows}
    assert any("東京" in row for row in rows)
    assert any("चाय" in row for row in rows)
    assert len(starts) == 1


def test_every_summary_of_the_help_is_whole_in_80_columns(desk: Desk) -> None:
    seen = desk.seen(80, "--help")

    assert "..." not in seen.text.replace("[ARGS]...", "")
    assert "  backfill  Load a range of days, prove them and publish the tables." in seen.lines


def test_a_day_that_has_not_begun_is_skipped_with_a_word_and_nothing_has_failed(
    tmp_path: Path,
) -> None:
    with Sandbox(world="hostile") as sandbox:  # with the time of the machine
        desk, now = Desk(sandbox, tmp_path), datetime.now(UTC)
        zones = {one["timezone_name"]: one["account_id"] for one in sandbox.world()["accounts"]}
        west, day = zones["America/Los_Angeles"], now.astimezone(ZoneInfo("America/Los_Angeles"))
        latest = (now + timedelta(hours=14)).date()
        days = ("--since", str(day.date() - timedelta(days=1)), "--until", str(latest))
        options = (*days, "--account", west, "--report", "insights_daily")
        told = f"Skipped {latest}: it has not begun in act_{west}, where it is {day.date()}."

        seen = [desk.type(80, command, *options) for command in ("plan", "backfill", "status")]
        never = desk.type(80, "backfill", *days[:3], str(latest + timedelta(days=2)))

    assert [one.code for one in seen] == [0, 0, 0]
    assert [told in one.text for one in seen] == [latest > day.date()] * 3  # not for two hours
    assert [one.wider_than(80) for one in seen] == [[]] * 3
    assert (never.code, "has not begun anywhere" in never.text) == (2, True)
