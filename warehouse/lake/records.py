"""Records of loads: what is known about each load of an account-day, and which load may replace
which.

A load's record is in the footer of the file it describes, so that one rename publishes rows and
record together; the tables `loads` and `restatements` are read from the footers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from warehouse.decode.hours import INTRADAY_DELAY, over_at, progress_of, why_not_over
from warehouse.decode.values import INT64
from warehouse.errors import UnknownZoneError, WarehouseError
from warehouse.lake.proof.reconcile import Totals
from warehouse.schema.periods import Period
from warehouse.schema.tables import SCHEMA_VERSION
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warehouse.lake.proof.reconcile import Evidence

    _Day = date  # inside a class that has a field of that name

__all__ = [
    "LOAD_KEY",
    "RESTATEMENTS_KEY",
    "Load",
    "Restatement",
    "completed",
    "from_values",
    "is_completed",
    "may_replace",
    "require_load_of",
    "restated",
    "to_values",
    "with_progress",
]

#: Keys of the Parquet footer: the load of the file, and what its predecessors changed (a list).
LOAD_KEY: Final = b"fbinsights.load"
RESTATEMENTS_KEY: Final = b"fbinsights.restatements"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load of one account-day of one table. A sum is None if the table has no such column.

    `loaded_at` and `asked_at` are in UTC; `verdict` is "proven", "provisional", "unproven" or
    "unprovable", and `reason` says why. `last_whole_hour` and `day_gone` say how much of an open
    day is whole (`with_progress`). `is_over`, `asked_at` and these are None in files that are older
    than the columns; `Lake` derives all but `asked_at` when it reads them (`completed`).
    """

    table: str
    account_id: str
    date: date
    rows: int
    verdict: str
    loaded_at: datetime
    reason: str = ""
    conversions: str | None = None
    conversions_reason: str = ""
    is_over: bool | None = None
    asked_at: datetime | None = None
    last_whole_hour: int | None = None
    day_gone: float | None = None
    impressions: int | None = None
    clicks: int | None = None
    spend: Decimal | None = None
    control_impressions: int | None = None
    control_clicks: int | None = None
    control_spend: Decimal | None = None
    rejected: int = 0
    rejected_cells: int = 0
    repeated: int = 0
    missing_fields: Sequence[str] = ()
    report_run_ids: Sequence[str] = ()
    calls: int = 0
    seconds: float = 0.0
    api_version: str = ""
    run_id: str = ""
    schema_version: int = SCHEMA_VERSION

    @classmethod
    def of(cls, table: str, account_id: str, day: _Day, found: Evidence, **more: Any) -> Self:
        """A record with the counts and sums of the evidence; `more` is everything else."""
        return cls(
            table=table,
            account_id=account_id,
            date=day,
            rows=found.rows,
            impressions=found.totals.impressions,
            clicks=found.totals.clicks,
            spend=found.totals.spend,
            rejected=found.rejected,
            rejected_cells=found.rejected_cells,
            repeated=found.repeated,
            **more,
        )

    @property
    def proven(self) -> bool:
        return self.verdict == PROVEN

    @property
    def is_good(self) -> bool:
        """Whether no fault of it is known."""
        return self.verdict != UNPROVEN

    @property
    def is_provisional(self) -> bool:
        """Whether its day was not over when it was requested."""
        return self.verdict == PROVISIONAL

    @property
    def progress(self) -> str:
        """How much of its open day is whole, and when Meta was asked, in words; "" if its day was
        over.
        """
        if self.is_over is not False:
            return ""
        asked = f"asked at {self.asked_at or self.loaded_at:%Y-%m-%d %H:%M} UTC"
        if self.day_gone is None:  # of a week or month
            return asked
        if self.last_whole_hour is None:
            return f"no hour whole yet, {asked}"
        return f"whole until {self.last_whole_hour + 1:02}:00 (account's clock), {asked}"

    @property
    def is_final(self) -> bool:
        """Whether it is as good as it can be: proven, or of a report that cannot be proven."""
        return self.is_good and not self.is_provisional

    @property
    def is_explained(self) -> bool:
        """Whether it has no rows though the account delivered, and says why."""
        return self.verdict == UNPROVABLE and not self.rows and bool(self.control_impressions)

    @property
    def totals(self) -> Totals:
        """The sums of its rows."""
        return Totals(self.impressions or 0, self.clicks or 0, self.spend or Decimal())

    @property
    def control(self) -> Totals:
        """The totals that its sums were compared with."""
        return Totals(
            self.control_impressions or 0, self.control_clicks or 0, self.control_spend or Decimal()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """What a later load of an account-day changed."""

    table: str
    account_id: str
    date: date
    loaded_at: datetime
    previous_loaded_at: datetime
    rows_before: int
    rows_after: int
    impressions_before: int | None = None
    impressions_after: int | None = None
    clicks_before: int | None = None
    clicks_after: int | None = None
    spend_before: Decimal | None = None
    spend_after: Decimal | None = None


Record = TypeVar("Record", Load, Restatement)


def may_replace(old: Load | None, new: Load | None) -> bool:
    """Whether rows loaded as `new` may replace rows loaded as `old`.

    A proven day, or one as good as it can be, is only replaced by another such, but for a day
    without rows that says why it can have none: any rows are better. Rows without a record prove
    nothing. Rows requested before the day was over never replace rows requested
    afterwards; and half a day with a fault never replaces half a day without one.
    """
    if old is not None and old.is_over and new is not None and new.is_over is False:
        return False
    if old is None or (old.is_explained and new is not None):
        return True
    if new is None or old.is_final:
        return not old.is_final or (new is not None and new.is_final)
    if old.is_provisional:
        return new.is_good or new.is_over is not False
    return True


def with_progress(
    load: Load, zone: str, period: Period = Period.DAY, delay: timedelta = INTRADAY_DELAY
) -> Load:
    """A record that says how much of its day was whole when Meta was asked, if the day was open.
    Nothing says so of a week or month. Raises UnknownZoneError.
    """
    if load.is_over is not False or period is not Period.DAY:
        return load
    found = progress_of(zone, load.date, load.asked_at or load.loaded_at, delay)
    return replace(load, last_whole_hour=found.last_whole_hour, day_gone=found.day_gone)


def is_completed(load: Load, period: Period) -> bool:
    """Whether a record has all that `completed` would derive."""
    if load.is_over is False and period is Period.DAY:
        return load.day_gone is not None
    return load.is_over is not None


def completed(load: Load, zone: str, period: Period = Period.DAY) -> Load:
    """A record with `is_over` and how much of an open day is whole, if older code wrote it without:
    they are derived from its time and the zone of the account, and a day that was not over is
    provisional.
    """
    if is_completed(load, period):
        return load
    try:
        if load.is_over is not None:
            return with_progress(load, zone, period)
        not_over = why_not_over(load.loaded_at - over_at(zone, load.date))
    except UnknownZoneError:
        return load
    if not not_over:
        return replace(load, is_over=True)
    reason = f"{not_over}; {load.reason}" if load.reason else not_over
    open_day = replace(load, is_over=False, verdict=PROVISIONAL, reason=reason)
    return with_progress(open_day, zone, period)


def restated(old: Load | None, new: Load | None) -> Restatement | None:
    """Compare two loads of one account-day. None if rows and sums are the same."""
    if old is None or new is None:
        return None
    measures = ("rows", "impressions", "clicks", "spend")
    if all(getattr(old, name) == getattr(new, name) for name in measures):
        return None
    return Restatement(
        table=new.table,
        account_id=new.account_id,
        date=new.date,
        loaded_at=new.loaded_at,
        previous_loaded_at=old.loaded_at,
        **{f"{name}_before": getattr(old, name) for name in measures},
        **{f"{name}_after": getattr(new, name) for name in measures},
    )


def require_load_of(load: Load, table: str, account_id: str, day: date | None, rows: int) -> None:
    """Raise WarehouseError unless a load can be the record of this number of rows of an
    account-day.
    """
    for name in ("impressions", "clicks"):
        if (getattr(load, name) or 0) not in INT64:
            raise WarehouseError(
                f"{table} of account {account_id} on {day}: the sum of {name} over"
                f" {counted(load.rows, 'row')} does not fit into 64 bits. The previous file is"
                " unchanged; load the day again"
            )
    recorded = (load.table, load.account_id, load.date, load.rows)
    if recorded != (there := (table, account_id, day, rows)):
        of, not_of = (
            f"{t} of account {a} on {d} ({counted(n, 'row')})" for t, a, d, n in (recorded, there)
        )
        raise WarehouseError(f"The load record is for {of}, but the rows are {not_of}")


def to_values(record: Load | Restatement) -> dict[str, Any]:
    """A record as JSON values: dates, instants and decimals are text."""
    names = _READERS[type(record).__name__]
    return {name: _plain(getattr(record, name)) for name in names}


#: Classes of values that JSON has too.
_PLAIN: Final = (str, int, float, type(None))


def _plain(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    return [*value] if isinstance(value, list | tuple) else str(value)


def from_values(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """Read a record. Unknown keys, of a later version, are left out."""
    readers = _READERS[kind.__name__]
    return kind(
        **{
            name: value if (read := readers[name]) is None or value is None else read(value)
            for name, value in values.items()
            if name in readers
        }
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _reader(annotation: str) -> Callable[[Any], Any] | None:
    """How a value of JSON becomes one of a field; None if it is one already."""
    kinds: Mapping[str, Callable[[Any], Any]] = {
        "datetime": _instant,
        "date": date.fromisoformat,
        "Decimal": Decimal,
        "Sequence": tuple,
    }
    return next((read for kind, read in kinds.items() if kind in annotation), None)


#: Of each kind of record, by its name: how its fields are read.
_READERS: Final = {
    kind.__name__: {field.name: _reader(str(field.type)) for field in fields(kind)}
    for kind in (Load, Restatement)
}
