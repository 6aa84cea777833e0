"""`fbinsights today` on a lake that the sandbox filled: two accounts, today and the days it is
compared with.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest

from pipelines.cli.commands.today import run_today
from pipelines.cli.output.style import Style
from pipelines.errors import ConfigError
from pipelines.loading.intraday.totals import Look, keep
from tests.clock import NOW
from tests.reports import KNOWN
from warehouse.decode.hours import today_in
from warehouse.decode.money import amount_text
from warehouse.published.publish import LINK, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

#: The zone of the third account.
TOKYO: Final = "Asia/Tokyo"


def test_today_is_shown_against_usual_days_and_with_an_account_its_campaigns_and_ads(
    sandbox: Sandbox,
    lake: Lake,
    load: Callable[..., object],
    lake_rows: Callable[..., list[tuple[Any, ...]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"WAREHOUSE_URL": str(lake.root)}
    shown, other, idle = sandbox.account_ids[:3]
    today = NOW.date()
    before = [today - timedelta(days=n) for n in (1, 7, 14, 21, 28)]
    load(before, [shown, other])
    keep(lake, "run", Look(idle, NOW, {today_in(TOKYO, NOW): None}), TOKYO)
    with pytest.raises(ConfigError, match="act_42 has not been loaded"):
        run_today(environ, ["42"], NOW)

    code = run_today(environ, [shown], NOW)

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert "Today has not been asked yet for 1 account:" in printed.err
    assert "refresh --today`." in printed.err

    load([today], [shown, other])
    publish(lake.root, catalog=KNOWN.catalog)
    code = run_today(environ, (), NOW)

    printed = capsys.readouterr()
    spent = sum((row[4] for row in lake_rows(shown, today)), Decimal(0))
    assert code == 0, printed.out
    assert f"(act_{shown})\n  Monday 2026-11-23, " in printed.out
    assert f"(act_{other})\n  Monday 2026-11-23, " in printed.out
    assert amount_text(spent, "") in printed.out
    assert "(median of 4 Mondays)" in printed.out
    assert printed.out.count("  end of day  about ") == 2
    assert f"act_{idle}" not in printed.out
    assert "No spend today, as far as Meta has said: Sakura 東京." in printed.err
    assert "Today has not been asked yet for" in printed.err

    code = run_today(environ, [shown], NOW + timedelta(hours=2.5))
    late = capsys.readouterr().out
    run_today(environ, [shown], NOW, Style(is_json=True))
    *rows, total = map(json.loads, capsys.readouterr().out.splitlines())

    assert code == 1
    assert "  ! Late data. What is known of today is from " in late
    assert late.count("\ncampaign  ") == late.count("\nad  ") == 1
    assert {row["level"] for row in rows} == {"account", "campaign", "ad"}
    of_account = next(row for row in rows if row["level"] == "account")
    of_ads = sum(row["spend"] for row in rows if row["level"] == "ad")
    assert (round(of_account["spend"], 6), of_account["findings"]) == (round(float(spent), 6), [])
    assert round(of_ads, 6) == round(float(spent), 6)
    assert total == {
        "kind": "total",
        "command": "today",
        "exit_code": 0,
        "rows": len(rows),
        "findings": {},
    }


def test_a_file_that_an_earlier_version_published_says_what_to_do(lake: Lake) -> None:
    publish(lake.root, catalog=KNOWN.catalog)
    with duckdb.connect(str((lake.root / LINK).resolve())) as older:
        older.execute("DROP VIEW today")

    with pytest.raises(ConfigError, match="made by an earlier version"):
        run_today({"WAREHOUSE_URL": str(lake.root)}, (), NOW)
