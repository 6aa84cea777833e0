from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from fbgraph.limits.shared_cooldowns import Cooldown
from fbgraph.limits.usage import Limit
from fbgraph.reports.poller import Flight
from pipelines.cli.output.progress import LOGGERS, WAITS_SECONDS, Bar, Progress, seconds_left
from pipelines.cli.waits import waits_of
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from pipelines.state.cooldowns import cooldowns_of
from warehouse.lake.records import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warehouse.lake.partitions import Lake

ROOT: Final = Path(__file__).resolve().parents[3]

DAY = AccountDay("1", date(2026, 11, 21))
LOAD = Load(
    table="insights_hourly",
    account_id="1",
    date=DAY.day,
    rows=1200,
    calls=5,
    verdict="proven",
    loaded_at=datetime(2026, 11, 22, tzinfo=UTC),
)
LOADER = logging.getLogger("pipelines.loading.loader")


def after(*outcomes: Outcome) -> Progress:
    progress = Progress("insights_hourly", total=40)
    for outcome in outcomes:
        progress = progress.with_outcome(outcome)
    return progress


def test_a_line_says_what_is_done_of_what_with_rows_calls_failures_and_time_left() -> None:
    loaded, failed = Outcome(DAY, LOAD), Outcome(DAY, error="(#200) No")
    unproven = Outcome(DAY, replace(LOAD, verdict="unproven"))

    progress = replace(after(*[loaded] * 8, failed, unproven), flight=Flight(7, 43.4, 6.0))

    assert progress.line(60.0) == (
        "insights_hourly: 10 of 40 account-days; 10,800 rows, 45 calls, 1 failed, 1 unproven;"
        " about 3 min left; 7 report runs at 43 %, limits 6 % used"
    )


def test_a_line_says_since_when_meta_has_not_answered() -> None:
    progress = replace(after(), flight=Flight(7, 0.0, 6.0, silent_seconds=90.0))

    assert progress.line(60.0).endswith(
        "; 7 report runs at 0 %, limits 6 % used, no usable response from Meta for 2 min"
    )


@pytest.mark.parametrize(
    ("done", "seconds", "left"),
    [(0, 60.0, None), (10, 60.0, 180.0), (39, 39.0, 1.0), (40, 60.0, None)],
)
def test_time_left_goes_by_what_is_done(done: int, seconds: float, left: float | None) -> None:
    assert seconds_left(done, 40, seconds) == left


@pytest.mark.parametrize(
    ("now", "left"), [(1.0, "about 3 s left"), (60.0, "about 3 min left"), (2500.0, "2 h 5 min")]
)
def test_time_left_is_told_in_words(now: float, left: str) -> None:
    assert left in after(*[Outcome(DAY, LOAD)] * 10).line(now)


def test_a_stage_with_a_total_counts_anew_so_nothing_is_ever_more_than_all() -> None:
    lines = []

    with Bar(2, is_quiet=True, clock=lambda: 0.0) as bar:
        for _ in range(2):
            LOADER.info("", extra={"outcome": Outcome(DAY, LOAD)})
        lines.append(bar.line())
        bar.stage("reload", 3)
        LOADER.info("", extra={"outcome": Outcome(DAY, LOAD)})
        lines.append(bar.line())
        logging.getLogger("pipelines.loading.session").debug("", extra={"step": "listing ads"})
        lines.append(bar.line())
        bar.step("publishing")
        lines.append(bar.line())

    assert lines == [
        "accounts: 2 of 2 account-days; 2,400 rows, 10 calls",
        "reload: 1 of 3 account-days; 1,200 rows, 15 calls; about 0 s left",
        "listing ads; 1 of 3 account-days; 1,200 rows, 15 calls; about 0 s left",
        "publishing; 1 of 3 account-days; 1,200 rows, 15 calls; about 0 s left",
    ]


def test_who_waits_for_a_limit_is_told_until_nobody_does_and_looked_up_now_and_then() -> None:
    waits, at = ["act_1 waits until 15:04 UTC.", "act_2 waits until 15:03 UTC."], [0.0]

    with Bar(2, lambda: waits, is_quiet=True, clock=lambda: at[0]) as bar:
        waiting = bar.line()
        waits.clear()
        soon = bar.line()
        at[0] = WAITS_SECONDS
        free = bar.line()

    assert waiting.endswith("; act_1 waits until 15:04 UTC. And 1 more.")
    assert soon == waiting
    assert "waits" not in free


def test_the_waits_of_a_lake_are_those_that_any_process_has_met(lake: Lake) -> None:
    cooldowns = cooldowns_of(lake.store, time.time)
    waits = waits_of(lake.store)
    before = waits()

    cooldowns.put(Limit("1", "ads_insights"), Cooldown(120.0, is_block=True))
    cooldowns.put(Limit("2", "ads_insights"), Cooldown(1200.0))

    longest, other = waits()
    assert before == []
    assert (longest[:11], "(20 min)" in longest) == ("act_2 waits", True)
    assert "act_1 waits until" in other


def test_without_a_terminal_a_long_load_has_a_line_every_so_often_and_a_quiet_one_none(
    days: Sequence[date],
    load: Callable[..., Sequence[Outcome]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Bar(21, line_seconds=0.01):
        load(days)
    told = capsys.readouterr().err.splitlines()
    with Bar(21, line_seconds=0.01, is_quiet=True):
        load(days)

    assert capsys.readouterr().err == ""
    assert len(told) > 2
    assert all(line.startswith("accounts: ") for line in told)
    assert any("report runs at" in line and "limits" in line for line in told)


def test_the_bar_hears_every_module_that_logs_a_step() -> None:
    sources = (ROOT / "pipelines").rglob("*.py")
    logging_steps = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources
        if 'extra={"step"' in path.read_text(encoding="utf-8")
    }

    assert len(logging_steps) > 2
    assert logging_steps <= {logger.name for logger in LOGGERS}
