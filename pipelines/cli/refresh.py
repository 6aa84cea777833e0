"""`fbinsights refresh`: by hand what the daily schedule does, and what to tell at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fbgraph import act_id
from pipelines.cli.backfill import close, prepared_lake
from pipelines.cli.progress import Bar
from pipelines.cli.runs import interrupts, open_instance, run_job
from pipelines.cli.selection import plan_of
from pipelines.cli.summary import Summary
from pipelines.cli.terminal import say
from pipelines.loading.emptiness import ACCEPT_EMPTY_TAGS
from pipelines.loading.listings import discover
from pipelines.loading.partitions import today_in
from pipelines.loading.refresh import lookback
from pipelines.reports.catalog import REPORTS
from pipelines.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.defs.refresh import Looked

__all__ = ["run_refresh"]


def run_refresh(
    environ: Mapping[str, str],
    *,
    accounts: Sequence[str] = (),
    full: bool = False,
    accept_empty: bool = False,
) -> int:
    """Pull again what moved, and the newest days; returns the exit code, as `run_backfill` does.
    `accept_empty`: those that had rows become empty at once where Meta returns none.

    Raises ConfigError, TokenError and other GraphErrors of the first call before anything is
    written.
    """
    settings = settings_of(environ)
    with settings.open_graph() as client:
        found = discover(client, settings.account_ids)
    started = datetime.now(UTC)
    earliest = min((today_in(row["timezone_name"], started) for row in found.rows), default=None)
    days = lookback(earliest or started.date())
    plan = plan_of(found, (days[0], days[-1]), accounts, (), started)
    keys = [act_id(row["account_id"]) for row in plan.accounts]
    config = {"look": {"accounts": keys, "full": full, "as_of": started.isoformat()}}
    with (
        open_instance(environ) as instance,
        Bar(len(keys) * len(days)) as bar,
        interrupts() as look,
    ):
        lake = prepared_lake(settings)
        bar.stage("refresh")
        tags = ACCEPT_EMPTY_TAGS if accept_empty else {}
        result = run_job(instance, "refresh_job", config=config, tags=tags, output_of="look")
        look()
    looked: Looked | None = result.output
    wanted = {report: list(looked.pull[report]) if looked else [] for report in REPORTS}
    summary = Summary(plan, started, wanted)
    summary.note(result)
    summary.read(lake)
    code = close(summary)
    if looked is not None:
        say(f"\n{looked}")
    return code
