"""Everything that walks a lake without loading anything, on one of very many account-days.

`python -m benchmarks.walks small FOLDER` measures each walk in a process of its own, on the lake
that `python -m benchmarks.growth small FOLDER` has made there, or `large`.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from benchmarks.growth import LAST_DAY, SIZES, Size
from benchmarks.measure import measured, print_figures
from pipelines.cli.commands.status import overview_of
from pipelines.defs.freshness import yesterdays
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.refreshing.changes import choose_days
from pipelines.reports.catalog import reports_of
from pipelines.state.history import history_since
from warehouse.published.known import lake_with_records
from warehouse.published.publish import LINK, damage
from warehouse.published.verify import wrong_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.reports.catalog import Reports

__all__ = ["WALKS", "figures"]

#: The morning after the last day of the lake, when a refresh runs.
NOW: Final = datetime(*LAST_DAY.timetuple()[:3], 6, tzinfo=UTC) + timedelta(days=1)


class Walked:
    """A lake of a size, with the reports of this checkout that it has."""

    def __init__(self, name: str, url: Path) -> None:
        self.size: Size = SIZES[name]
        self.url = url
        known = reports_of({})
        self.known: Reports = known
        self.lake = lake_with_records(url, known.catalog)
        self.reports = [one for one in self.size.tables if one in known.by_name]

    def status(self) -> int:
        """`fbinsights status`: the last 28 days."""
        return self._status(NOW.date() - timedelta(days=28))

    def status_of_all(self) -> int:
        """`fbinsights status --since` the first day."""
        return self._status(self.size.dates()[0])

    def _status(self, since: date) -> int:
        accounts = [*accounts_in(self.lake).values()]
        begins = history_since(self.lake, None, NOW.date())
        asked = since, LAST_DAY
        found = overview_of(self.lake, self.known, accounts, self.reports, asked, begins, NOW)
        return len(found.cells)

    def choice(self) -> int:
        """What a refresh decides to load, totals aside."""
        today = dict.fromkeys(self.size.account_ids(), NOW.date())
        none: dict[str, dict[date, None]] = {one: {} for one in today}
        chosen = [
            choose_days(self.lake, self.known.by_name[one], today, none, full=False)
            for one in self.reports
        ]
        return sum(map(len, chosen))

    def freshness(self) -> int:
        """A look of the sensor `freshness`."""
        accounts = accounts_in(self.lake)
        return sum(len(yesterdays(self.lake, one, accounts, NOW)) for one in self.reports)

    def doctor(self) -> int:
        """What `doctor` looks at in the lake."""
        return len(damage(self.lake))

    def doctor_reads(self) -> int:
        """The same where the published file is not the one that was published: it is read."""
        with duckdb.connect(self.url / LINK, read_only=True) as connection:
            return len(wrong_in(connection))

    def listing(self) -> int:
        """All files of all tables, as a publish lists them."""
        return sum(len(self.lake.partitions(table)) for table in self.size.tables)

    def loads(self) -> int:
        """The records of all account-days."""
        return int(self.lake.loads().num_rows)

    def restatements(self) -> int:
        """What reloads have changed."""
        return int(self.lake.restatements().num_rows)

    def view_of_a_day(self) -> int:
        """A day of all accounts, from a view in the schema lake."""
        return self._ask(f"WHERE date = DATE '{LAST_DAY}'")

    def view_of_an_account(self) -> int:
        """All days of an account, from a view in the schema lake."""
        return self._ask(f"WHERE account_id = '{self.size.account_ids()[0]}'")

    def view(self) -> int:
        """All of a table, from a view in the schema lake."""
        return self._ask("")

    def _ask(self, where: str) -> int:
        with duckdb.connect(self.url / LINK, read_only=True) as connection:
            query = f"FROM lake.{self.size.tables[0]} SELECT sum(impressions) {where}"
            [(found,)] = connection.execute(query).fetchall()
            return int(found)


WALKS: Final[Mapping[str, Callable[[Walked], int]]] = {
    "listing of all files": Walked.listing,
    "`status`": Walked.status,
    "`status`, all days": Walked.status_of_all,
    "choice of `refresh`": Walked.choice,
    "sensor `freshness`": Walked.freshness,
    "`doctor`": Walked.doctor,
    "`doctor`, another published file": Walked.doctor_reads,
    "`Lake.loads`": Walked.loads,
    "`Lake.restatements`": Walked.restatements,
    "`lake` view, one day": Walked.view_of_a_day,
    "`lake` view, one account": Walked.view_of_an_account,
    "`lake` view, all": Walked.view,
}


def figures(name: str, url: Path) -> Iterator[tuple[str, str]]:
    """A line for each walk."""
    for walk in WALKS:
        found = measured("walks", "one", walk, name, url)
        took = f"{found['cpu_seconds']:.1f} CPU-s, {found['wall_seconds']:.1f} s"
        yield walk, f"{took}, {found['peak_mb']:.0f} MB, {found['rows']:,.0f}"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["one", walk, name, url]:
            print_figures(lambda: WALKS[walk](Walked(name, Path(url))))
        case [name, url]:
            for line in figures(name, Path(url)):
                print("  ".join(line), flush=True)
