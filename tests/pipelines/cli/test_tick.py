"""`fbinsights refresh --today` against the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

import warehouse
from pipelines.cli.commands.refresh import run_one_tick
from pipelines.cli.main import cli
from pipelines.cli.output.style import Style
from tests.clock import NOW
from tests.reports import KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


def test_one_tick_loads_and_publishes_today_and_says_what_failed(
    sandbox: Sandbox,
    lake: Lake,
    capsys: pytest.CaptureFixture[str],
    truth_rows: Callable[..., list[tuple[Any, ...]]],
) -> None:
    first, second = sandbox.account_ids[:2]
    environ = {
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "WAREHOUSE_URL": str(lake.root),
    }

    def run(*accounts: str, style: Style) -> int:
        return run_one_tick(environ, KNOWN, accounts, style, lambda: NOW)

    code = run(first, style=Style())
    shown = capsys.readouterr()
    sandbox.use("forbidden_account")
    failed = run(first, second, style=Style(is_json=True))
    total = json.loads(capsys.readouterr().out)

    assert (code, failed) == (0, 1)
    assert shown.out.startswith("1 account, 1 asked for their totals; 1 open day loaded, ")
    assert total["left_out"] == {second: total["failed"][f"accounts act_{second}"]}
    assert (total["kind"], total["command"], total["accounts"]) == ("total", "refresh", 2)
    assert [*total["failed"]] == [f"accounts act_{second}"]
    with warehouse.open(lake.root) as published:
        rows = published.sql("select account_id, count(*) from insights_hourly group by all")
        assert rows.fetchall() == [(first, len(truth_rows(first, NOW.date())))]


def test_today_goes_with_no_other_way_of_refreshing() -> None:
    done = [
        CliRunner().invoke(cli, ["refresh", *more]) for more in (["--today", "--full"], ["--alert"])
    ]

    assert [one.exit_code for one in done] == [2, 2]
    assert "--today cannot be combined with --full or --accept-empty" in done[0].output
    assert "--alert goes with --today alone" in done[1].output
