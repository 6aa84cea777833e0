"""Loads activities: by time, in slices, from where the last load ended, and backwards.

Meta serves a range of time, or says that it is too much; then it is halved. What comes is added to
what the lake has. A slice that cannot be read costs itself: it is named, and the
next load begins with it again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import EDGE_ROWS, object_fields
from fbgraph.errors import CursorError, RetryableError, TooMuchDataError
from fbgraph.http.paging import PageSize
from pipelines.loading.events.storing import store_events
from pipelines.state.history import history_since
from warehouse.decode.activities import described
from warehouse.decode.objects import Unreadable
from warehouse.lake.history import footer_of_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from fbgraph.errors import GraphError
    from warehouse.decode.pages import Account
    from warehouse.lake.partitions import Lake
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = ["ReadSlices", "Slice", "halved", "load_activities", "read_slices", "slices"]

#: What is asked for at once, and the shortest time that is: a busy account has thousands a day.
LONGEST_SLICE: Final = timedelta(days=30)
SHORTEST_SLICE: Final = timedelta(hours=1)

#: So much of what is known already is read again: activities can come late.
READ_AGAIN: Final = timedelta(days=2)

#: Whether Meta counts the ends of a range is not documented: more is asked for, and what lies
#: outside is dropped.
_EDGE: Final = timedelta(seconds=1)

#: A range as long as this is halved at once; for a shorter one pages are made shorter first.
_SHRINKS_PAGES: Final = timedelta(days=1)

#: Errors that say nothing, after all attempts, before the account is given up for this time.
_MOST_UNKNOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of time, without its end."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


def slices(since: datetime, until: datetime) -> Sequence[Slice]:
    """A range cut into slices, oldest first. Empty if there is nothing between."""
    found = []
    while since < until:
        found.append(Slice(since, min(since + LONGEST_SLICE, until)))
        since = found[-1].until
    return found


def halved(one: Slice) -> Sequence[Slice]:
    """The halves of a slice; nothing if it is as short as it may be."""
    length = one.until - one.since
    if length <= SHORTEST_SLICE:
        return ()
    middle = one.since + timedelta(seconds=int(length.total_seconds()) // 2)
    return Slice(one.since, middle), Slice(middle, one.until)


@dataclass(slots=True)
class ReadSlices:
    """What came of a range: how many activities, until when nothing is missing, and which slices
    could not be read, with why.
    """

    covered_until: datetime
    rows: int = 0
    unreadable: Unreadable = field(default_factory=Unreadable)
    failed: Sequence[tuple[Slice, GraphError]] = ()

    @property
    def error(self) -> str:
        """One line about what could not be read; "" if everything could."""
        if not self.failed:
            return ""
        one, error = self.failed[0]
        more = f" and {len(self.failed) - 1} more ranges" if len(self.failed) > 1 else ""
        return f"Activities from {one}{more} could not be read: {error}"


def read_slices(
    read: Callable[[Slice], Sequence[Any]],
    store: Callable[[Sequence[Any], datetime | None], Unreadable],
    since: datetime,
    until: datetime,
) -> ReadSlices:
    """Read and store a range slice by slice, oldest first. `store` takes the activities of a slice
    and, as long as nothing before it failed, until when all is there.

    Raises what is not about a slice: permissions, tokens, limits.
    """
    found = ReadSlices(since)
    waiting = deque(slices(since, until))
    unknown = 0
    while waiting:
        one = waiting.popleft()
        try:
            rows = read(one)
        except (TooMuchDataError, RetryableError) as error:
            unknown += isinstance(error, RetryableError)
            if unknown > _MOST_UNKNOWN or not _may_be_length(error):
                raise
            if halves := halved(one):
                waiting.extendleft(reversed(halves))
            else:
                found.failed = [*found.failed, (one, error)]
            continue
        covered = None if found.failed else one.until
        found.unreadable += store(rows, covered)
        found.rows += len(rows)
        found.covered_until = covered or found.covered_until
    return found


def _may_be_length(error: GraphError) -> bool:
    """Whether a shorter range may work: too much data, or code 1, which says nothing."""
    return isinstance(error, TooMuchDataError) or (
        type(error) is RetryableError and error.detail.code == 1
    )


class _OneSize(PageSize):
    """Pages that are not made shorter: the range is."""

    def refused(self, rows: int) -> bool:  # noqa: ARG002  # as `PageSize` has it
        return False


def load_activities(
    client: GraphClient, lake: Lake, row: ObjectTable, account: Account, now: datetime
) -> ReadSlices:
    """Load the new activities of an account and, each time, one slice further back, until the lake
    has all since the beginning of its history.
    """
    known = footer_of_objects(lake, row.latest, account.account_id)
    first = datetime.combine(history_since(lake, None, now.date()), time(), UTC)

    def read(one: Slice) -> Sequence[Any]:
        return _read(client, row, account.account_id, one)

    def store(
        rows: Sequence[Any],
        listed_at: datetime | None = None,
        listed_since: datetime | None = None,
    ) -> Unreadable:
        return store_events(
            *(lake, row, rows, account, now),
            listed_at=listed_at,
            listed_since=listed_since,
        )

    begin = max(first, now - LONGEST_SLICE)
    if known.listed_at is not None:
        begin = min(known.listed_at, now) - READ_AGAIN
    whole = None if known.listed_since else begin
    new = read_slices(
        read,
        lambda rows, covered: store(rows, covered, covered and whole),
        *(begin, now + _EDGE),
    )
    if known.listed_since is None or known.listed_since <= first:
        return new
    older = Slice(max(first, known.listed_since - LONGEST_SLICE), known.listed_since)
    old = read_slices(
        read,
        lambda rows, covered: store(
            rows, listed_since=older.since if covered == older.until else None
        ),
        *(older.since, older.until),
    )
    return ReadSlices(
        new.covered_until,
        new.rows + old.rows,
        new.unreadable + old.unreadable,
        [*old.failed, *new.failed],
    )


def _read(client: GraphClient, row: ObjectTable, account_id: str, one: Slice) -> Sequence[Any]:
    """The activities of an account in a slice, as `described`; what is not an object stays as it
    came.
    """
    known = object_fields(row.kind)
    edge = client.account(account_id).edge(
        row.edge,
        fields=[name for name in row.fields if name in known],
        since=int((one.since - _EDGE).timestamp()),
        until=int((one.until + _EDGE).timestamp()),
    )
    is_long = one.until - one.since > _SHRINKS_PAGES

    def once() -> Sequence[Any]:
        size = (_OneSize if is_long else PageSize)(EDGE_ROWS[row.edge])
        return [
            described(found) if isinstance(found, dict) else found
            for page in edge.pages(size=size)
            for found in page.data
            if _is_inside(found, one)
        ]

    try:
        return once()
    except CursorError:  # refused halfway
        return once()


def _is_inside(found: object, one: Slice) -> bool:
    """Whether an activity is in the slice. One whose time cannot be read counts as in it, so that
    it is reported.
    """
    try:
        at = datetime.fromisoformat(str(found["event_time"]))  # type: ignore[index]
        return one.since <= at.astimezone(UTC) < one.until
    except (TypeError, KeyError, ValueError, OverflowError):
        return True
