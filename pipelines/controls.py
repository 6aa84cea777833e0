"""Control totals: what Meta says of an account as a whole, asked for to prove the rest."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

from fbgraph.ages import EVERYTHING, SHORTEST_MEMORY, TooOld, may_be_too_old, refused_day
from fbgraph.asks import split_days
from fbgraph.errors import CursorError, RequestError, TooMuchDataError
from pipelines.emptiness import is_nothing
from pipelines.reports import CONTROL
from warehouse import arrow
from warehouse.checks import NOT_OVER, Found, Totals
from warehouse.decode import decode
from warehouse.errors import WarehouseError
from warehouse.hours import is_over
from warehouse.loads import PROVEN, PROVISIONAL, Load
from warehouse.pages import ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph import GraphClient
    from warehouse.decode import Account, Decoded
    from warehouse.lake import Lake

__all__ = ["Asked", "Controls", "Emptied"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """Control totals by day, None where Meta gave no row.

    `errors`: days whose totals cannot be read, and why; they have none. `asked_at`: when they were
    asked for. `emptied`: records of days that had totals and have none now; these are not in the
    lake until somebody believes it (`Controls.empty`).
    """

    totals: Mapping[date, Totals | None]
    loads: Sequence[Load] = ()
    errors: Mapping[date, str] = field(default_factory=dict)
    asked_at: Mapping[date, datetime] = field(default_factory=dict)
    emptied: Mapping[date, Emptied] = field(default_factory=dict)

    @classmethod
    def together(cls, parts: Sequence[Asked]) -> Self:
        """What several calls have told, of other days each."""
        return cls(
            {day: totals for part in parts for day, totals in part.totals.items()},
            [load for part in parts for load in part.loads],
            {day: why for part in parts for day, why in part.errors.items()},
            {day: at for part in parts for day, at in part.asked_at.items()},
            {day: one for part in parts for day, one in part.emptied.items()},
        )


class Emptied(NamedTuple):
    """What the lake has of a day's totals, and the record of none that came now."""

    old: Load
    new: Load


class Controls:
    """Asks for control totals, and keeps them in the lake as the table `control_daily`."""

    def __init__(
        self, client: GraphClient, lake: Lake, run_id: str, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._lake = lake
        self._run_id = run_id
        self._now = now
        self._too_old: defaultdict[str, TooOld] = defaultdict(TooOld)

    def counted(self) -> GraphClient:
        """A client whose tally tells what asking has cost, however it ended."""
        return self._client.counted()

    def of(
        self, account: Account, days: Sequence[date], client: GraphClient | None = None
    ) -> Asked:
        """Totals of neighbouring days, from the lake if this very run stored them."""
        stored = self._lake.loads_of(CONTROL.name, [(account.account_id, day) for day in days])
        if any(load is None or load.run_id != self._run_id for load in stored):
            return self.ask(account, days, client)
        known = [load for load in stored if load is not None]
        return Asked(
            {load.date: load.totals if load.rows else None for load in known},
            asked_at={load.date: load.asked_at or load.loaded_at for load in known},
        )

    def empty(self, record: Load) -> None:
        """Keep that a day has no totals any more. Raises WarehouseError."""
        rows = arrow.empty(CONTROL.table.arrow_schema)
        account_id, day = _cell(record)
        self._lake.replace(CONTROL.name, rows, account_id=account_id, date=day, load=record)

    def ask(
        self, account: Account, days: Sequence[date], client: GraphClient | None = None
    ) -> Asked:
        """Ask for totals of neighbouring days by one call, and keep them; in halves where that is
        too much, where a row cannot be read: nothing could be proven by it, and where some days
        may be older than Meta keeps.
        """
        client = client or self.counted()
        too_old = self._too_old[account.account_id]
        return Asked.together([
            self._ask_in_halves(account, some, client)
            if EVERYTHING not in refused
            else Asked({}, errors=dict.fromkeys(some, too_old.why[EVERYTHING]))
            for some, refused in too_old.cut(days)
        ])  # fmt: skip

    def _ask_in_halves(
        self, account: Account, days: tuple[date, ...], client: GraphClient
    ) -> Asked:
        try:
            return self._ask(account, days, client)
        except RequestError as error:
            if not may_be_too_old(error, days[0], self._now().date() - SHORTEST_MEMORY):
                raise
            if day := refused_day(error, days):
                self._too_old[account.account_id].note([EVERYTHING], day, error)
        except (TooMuchDataError, WarehouseError) as error:
            if len(days) == 1:
                if isinstance(error, WarehouseError):
                    return Asked({}, errors={days[0]: str(error)})
                raise
        return Asked.together(
            [self.ask(account, half, client) for half in split_days(days) if half]
        )

    def _ask(self, account: Account, days: Sequence[date], client: GraphClient) -> Asked:
        before, asked_at = client.tally.calls, self._now()
        decoded = _decoded(client, account, days)
        for reject in (one for one in decoded.rejects if one.lost == ROW):
            raise WarehouseError(
                f"control totals of act_{account.account_id}: {reject.column or 'row'}"
                f" {reject.value}: {reject.reason}"
            )
        calls = client.tally.calls - before
        totals: dict[date, Totals | None] = {}
        loads = []
        emptied: dict[date, Emptied] = {}
        for at, day in enumerate(days):
            rows = decoded.of_day(day)
            unread = [reject for reject in decoded.rejects if reject.date == day]
            cells = sum(reject.loses_value for reject in unread)
            found = replace(Found.of(CONTROL.table, rows), rejected_cells=cells)
            totals[day] = found.totals if found.rows else None
            over = is_over(account.timezone_name, day, asked_at)
            record = Load.of(
                CONTROL.name,
                account.account_id,
                day,
                found,
                verdict=PROVEN if over else PROVISIONAL,
                reason="Meta's own totals" if over else f"{NOT_OVER}; Meta's own totals so far",
                is_over=over,
                asked_at=asked_at,
                api_version=client.tally.api_version,
                run_id=self._run_id,
                loaded_at=self._now(),
                calls=share(calls, len(days), at),
            )
            old = None if rows.num_rows else self._lake.load_of(CONTROL.name, *_cell(record))
            if old is not None and not is_nothing(old):
                emptied[day] = Emptied(old, record)
                continue
            self._lake.write_rejects(record, unread)
            self._lake.replace(
                CONTROL.name, rows, account_id=account.account_id, date=day, load=record
            )
            loads.append(record)
        return Asked(totals, loads, {}, dict.fromkeys(days, asked_at), emptied)


def _cell(load: Load) -> tuple[str, date]:
    return load.account_id, load.date


def _decoded(client: GraphClient, account: Account, days: Sequence[date]) -> Decoded:
    """Read them to their end; from the first page again, once, if the cursor is refused."""
    edge = client.account(account.account_id).insights(**CONTROL.params(days[0], days[-1]))
    try:
        bodies = [page.body for page in edge.pages()]
    except CursorError as error:
        _log.info("act_%s: reading from the first page again: %s", account.account_id, error)
        bodies = [page.body for page in edge.pages()]
    return decode(CONTROL.table, bodies, account, days)


def share(calls: int, days: int, at: int) -> int:
    """The part of `calls` that the day numbered `at` bears: whole ones, that add up to all."""
    each, rest = divmod(calls, days)
    return each + (at < rest)
