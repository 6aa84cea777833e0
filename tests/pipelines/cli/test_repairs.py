"""A command that meets a damaged file ends with the command that mends it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fbgraph import act_id
from pipelines.cli.main import cli
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from fbgraph.sandbox import Sandbox

REPORT = ("--report", "insights_hourly")


@pytest.fixture
def url(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environ = {
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "FB_ACCOUNT_IDS": sandbox.account_ids[0],
        "WAREHOUSE_URL": str(tmp_path / "lake"),
        "DAGSTER_HOME": str(home),
    }
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    return environ["WAREHOUSE_URL"]


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.output


@pytest.mark.slow
def test_what_is_to_be_run_again_is_what_loads_the_damaged_file(
    url: str, sandbox: Sandbox, days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["fbinsights"])
    account, [old, new, *_] = sandbox.account_ids[0], map(str, days)
    assert run("backfill", "--since", old, "--until", old, *REPORT)[0] == 0
    lake = Lake(url)
    damaged = [
        lake.root / lake.key("insights_hourly", account, days[0]),
        lake.root / lake.key("campaigns_history", account, None),
    ]
    for path in damaged:
        path.write_bytes(b"garbage")

    assert run("publish")[0] == 1
    code, said = run("backfill", "--since", new, "--until", new, *REPORT)

    # Objects are listed by every load, and so the second is mended already.
    assert (code, "Failed:" in said) == (1, True)
    assert f"{damaged[0]} is damaged: " in said
    _, again = said.split("Run this again:\n")
    [command] = [line.partition("fbinsights ")[2] for line in again.splitlines() if line.strip()]
    assert command == (
        f"backfill --since {old} --until {old} --account {act_id(account)} --report insights_hourly"
    )
    assert run(*shlex.split(command))[0] == 0
    code, said = run("publish")
    assert (code, "Not published" in said) == (0, False)
