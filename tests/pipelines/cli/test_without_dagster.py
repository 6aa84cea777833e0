"""A load reports to Dagster and does not need it: a home that cannot be used stops none."""

from __future__ import annotations

import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from fbgraph import act_id
from pipelines.cli.commands.backfill import run_backfill
from pipelines.cli.commands.doctor import examine
from pipelines.cli.commands.forget import run_forget
from pipelines.cli.session import run_publish
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.errors import UnreachableDagsterError
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.dagster_home import open_instance
from pipelines.state.unreported import Unreported, notes_of
from tests.pace import within
from tests.reports import only
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from fbgraph.sandbox import Sandbox

KNOWN = only(HOURLY_REPORT)
POSTGRES = """
storage:
  postgres:
    postgres_url: postgresql+psycopg2://me:hush@127.0.0.1:1/dagster
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return folder


@pytest.fixture
def environ(sandbox: Sandbox, home: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "FB_ACCOUNT_IDS": sandbox.account_ids[0],
        "WAREHOUSE_URL": str(tmp_path / "lake"),
        "DAGSTER_HOME": str(home),
    }


def occupy(home: Path) -> None:
    """A file where Dagster wants a folder: nothing can be made there, as on a disk that is full or
    only read.
    """
    (home / "history").write_text("")


def no_yaml(home: Path) -> None:
    (home / "dagster.yaml").write_text("storage: [\n")


def no_postgres(home: Path) -> None:
    with (home / "dagster.yaml").open("a") as file:
        file.write(POSTGRES)


def damage(home: Path) -> None:
    (home / "history").mkdir()
    (home / "history" / "runs.db").write_bytes(b"no database" * 1000)


def test_a_database_that_another_process_locks_is_told_within_seconds_and_not_half_a_minute(
    environ: dict[str, str],
    home: Path,
    days: list[date],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert backfill(environ, days[0]) == 0
    caplog.clear()
    database = home / "history" / "runs" / "index.db"
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    began = time.monotonic()
    with (
        pytest.raises(UnreachableDagsterError, match="database is locked") as caught,
        open_instance(environ, Lake(environ["WAREHOUSE_URL"]).store, locked_seconds=0.2),
    ):
        pytest.fail("it was opened")
    seconds = time.monotonic() - began
    code, lines = backfill(environ, days[1]), warned(caplog)
    holder.close()

    assert str(caught.value).startswith(f"Dagster cannot be used: {database}: database is locked.")
    assert seconds < within(5)
    assert (code, [line[:24] for line in lines]) == (0, ["Dagster cannot be used: "])


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "in the way": (occupy, "{home}/history/: File exists"),
    "wrong yaml": (no_yaml, "while parsing a flow node"),
    "no Postgres": (no_postgres, "Connection refused"),
    "damaged": (damage, "file is not a database"),
}


def backfill(environ: dict[str, str], day: date) -> int:
    return run_backfill(environ, KNOWN, day, day)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    messages = [r.getMessage() for r in caplog.records if r.name == "pipelines.cli.session"]
    caplog.clear()
    return messages


@pytest.mark.slow
@pytest.mark.parametrize("of", DAMAGES)
def test_a_load_goes_on_says_so_in_one_line_and_the_next_one_reports_it(
    of: str,
    environ: dict[str, str],
    sandbox: Sandbox,
    home: Path,
    days: list[date],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil, why = DAMAGES[of]
    spoil(home)
    lake, account = Lake(environ["WAREHOUSE_URL"]), act_id(sandbox.account_ids[0])

    code, [line] = backfill(environ, days[0]), warned(caplog)
    monkeypatch.setattr(Unreported, "has_ended", lambda *_: True)  # as if this process were gone
    examine(environ, KNOWN)
    doctor = capsys.readouterr().out
    again = home.parent / "again"
    again.mkdir()
    (again / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr(Unreported, "is_at_work", lambda *_: False)
    later = backfill(environ | {"DAGSTER_HOME": str(again)}, days[1])

    assert (code, later) == (0, 0)
    assert line.startswith("Dagster cannot be used: ")
    assert why.format(home=home) in line
    assert f"Check {home}: free disk space" in line
    assert "\n" not in line
    assert "hush" not in line
    assert "to do  Dagster" in doctor
    assert "does not show yet: 1; a command was stopped, or could not use Dagster." in doctor
    assert f"`fbinsights refresh --account {account}`" in doctor
    assert warned(caplog) == []
    assert not notes_of(lake.store)
    with open_instance({"DAGSTER_HOME": str(again)}, lake.store) as instance:
        shown = instance.get_materialized_partitions(dg.AssetKey(HOURLY_REPORT.name))
        assert shown == {f"{account}|{day}" for day in days[:2]}
        assert instance.get_dynamic_partitions(AD_ACCOUNTS) == [account]


def test_publish_goes_on_and_forget_removes_nothing(
    environ: dict[str, str],
    sandbox: Sandbox,
    home: Path,
    days: list[date],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert backfill(environ, days[0]) == 0
    lake = Lake(environ["WAREHOUSE_URL"])
    shutil.rmtree(home / "history")
    occupy(home)

    published = run_publish(environ, KNOWN)
    with pytest.raises(UnreachableDagsterError, match=f"Check {home}: free disk space"):
        run_forget(environ, KNOWN, sandbox.account_ids[0], is_agreed=True)

    assert (
        published.rows["insights_hourly"] == sandbox.truth(sandbox.account_ids[0], days[0])["count"]
    )
    assert len(warned(caplog)) == 1
    assert lake.partitions("insights_hourly")
