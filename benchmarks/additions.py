"""What each ready report and each table of objects adds to the daily refresh of a company.

    python -m benchmarks.additions            the tables of docs/scaling.md

Simulated as in `quota_sim`: rows by what breakdowns make of an object with delivery, calls by the
planner, CPU by what a row and an object were measured to take. Nothing is called.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from benchmarks.quota_sim import Company, forecast, listings, objects, refresh
from pipelines.loading.estimate import DELIVERING, Cost, guessed_rows
from pipelines.project.ready_reports import ready_reports
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["most_creatives", "render_objects", "render_reports"]

#: The company that the tables are about: one account of 50 active ads, 1,000 ever.
ACCOUNT: Final = Company(1, library=1000)

#: Measured: CPU-s of a row of insights, from the response to the published file (`assets.py` and
#: `lake.py`), and of an object that is listed and merged, on average over 20,000 ads.
ROW_SECONDS: Final = 5.2e-6
OBJECT_SECONDS: Final = 4.5e-5

#: Accounts for which CPU is shown.
ACCOUNTS: Final = 500

#: The hour that a daily refresh is to take.
_HOUR: Final = 1.0


def _reports() -> Iterator[Sequence[str]]:
    size = ACCOUNT.ads / DELIVERING["ad"]
    for name, ready in ready_reports().items():
        rows = guessed_rows(ready.spec.level, ready.spec.breakdowns, size)
        alone = replace(ACCOUNT, rows=rows, reports=1)
        total = sum(refresh(alone)[1:], Cost())
        cpu = ACCOUNTS * total.rows * ROW_SECONDS
        yield f"`{name}`", f"{rows:,}", str(total.runs), str(total.calls), f"{cpu:.1f}"


def render_reports() -> str:
    """Ready reports, in Markdown."""
    head = "report", "rows of an account-day", "report runs", "calls", f"CPU-s, {ACCOUNTS} accounts"
    return _table(head, _reports())


def _objects() -> Iterator[Sequence[str]]:
    for name, calls in listings(ACCOUNT).items():
        count, every = objects(ACCOUNT, name), OBJECT_TABLES[name].listed_every_days
        when = "day" if every == 1 else f"{every} days"
        cpu = ACCOUNTS * count * OBJECT_SECONDS / every
        yield f"`{name}`", f"{count:,}", when, str(calls), f"{calls / every:.1f}", f"{cpu:.1f}"


def render_objects() -> str:
    """Tables of objects, in Markdown."""
    head = (
        *("table", "objects of an account", "listed every", "calls", "calls a day"),
        f"CPU-s a day, {ACCOUNTS} accounts",
    )
    return _table(head, _objects())


def most_creatives(company: Company, tier: str) -> int:
    """The most creatives that each account may have for a daily refresh to fit into an hour, in
    hundreds.
    """
    most, beyond = 0, 10_000
    while beyond - most > 1:
        middle = (most + beyond) // 2
        tried = replace(company, library=100 * middle)
        fits = forecast(tried, refresh(tried), tier).hours <= _HOUR
        most, beyond = (middle, beyond) if fits else (most, middle)
    return 100 * most


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def main() -> None:
    """Print both tables, and what fits into an hour."""
    print(render_reports(), render_objects(), sep="\n\n", end="\n\n")
    for tier in ("development_access", "standard_access"):
        for processes in (1, 2, 4):
            most = most_creatives(Company(ACCOUNTS, processes=processes), tier)
            print(f"{tier}, {ACCOUNTS} accounts, {processes} processes: {most:,} creatives each")


if __name__ == "__main__":
    main()
