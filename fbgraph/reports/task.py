"""What a report engine is asked for, and what it keeps in mind about it. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from fbgraph.errors import NotFoundError, RetryableError, ThrottledError
from fbgraph.limits.retry import MAX_THROTTLED_SECONDS
from fbgraph.objects.report_run import FRESH_SECONDS, ReportRun
from fbgraph.reports.ages import TooOld
from fbgraph.reports.query import LOST_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph.errors import GraphError
    from fbgraph.http.paging import Params
    from fbgraph.limits.usage import Limit
    from fbgraph.reports.query import Ask

__all__ = [
    "Journal",
    "Known",
    "Order",
    "Part",
    "Saved",
    "Sink",
    "Work",
    "patience",
    "runs_allowed",
]

Result_co = TypeVar("Result_co", covariant=True)

#: (busiest share in percent, report runs in flight that it allows, as a part of the most), highest
#: first. Our choice, not Meta's: it publishes no number (docs/graph-api.md#report-runs).
_ALLOWED_AT: Final[Sequence[tuple[float, float]]] = ((95.0, 0.1), (85.0, 0.25), (70.0, 0.5))


#: A run of which so many polls in a row, over so long, are not answered or make no sense is asked
#: for again. So is one that nothing was heard of for longer than a throttled call waits.
SILENT_SECONDS: Final = 600.0
SILENT_POLLS: Final = 4


class Sink(Protocol):
    """Where the pages of an order go. `part` tells apart what was asked for separately."""

    def add(self, bodies: Sequence[bytes], *, part: int) -> object:
        """Take pages in. Raises RetryableError for one that is none: it is read again."""

    def drop(self, part: int) -> None:
        """Forget what a part brought: it is asked for again under another number."""


class Work(Protocol[Result_co]):
    """What the engine works for: it knows no tables, only what is asked and where pages go."""

    def params(self, ask: Ask) -> Params:
        """Parameters of the report run that answers a question."""

    def open(self, order: Order) -> Sink:
        """A place for the pages of an order."""

    def finish(self, order: Order) -> tuple[Sequence[Result_co], Sequence[Order]]:
        """All pages of an order are in: results, and what is to be asked for again.

        Called once more where it raises RetryableError, and so before it has changed anything.
        """

    def fail(self, order: Order, why: str) -> Sequence[Result_co]:
        """Results of an order that could not be had."""

    def close(self, order: Order) -> None:
        """Let go of the sink of an order that is finished, has failed or was split."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What an earlier process left of a question: its run, or that it had to be split."""

    report_run_id: str = ""
    age_seconds: float = 0.0
    was_split: bool = False


class Journal(Protocol):
    """Remembers report runs in flight, so that a process that dies costs none of them."""

    def saved(self, account_id: str, params: Params) -> Saved | None:
        """What is known of a question."""

    def save(self, account_id: str, params: Params, saved: Saved) -> None:
        """Remember it: a process that is killed afterwards has left it to the next."""

    def forget(self, account_id: str, params: Params) -> None:
        """Its run is worth nothing any more: it failed, or cannot be read."""

    def done(self, account_id: str, days: Sequence[date]) -> None:
        """These days are finished. What is known of them stays until the end: should the process
        die before, the next one finds it.
        """

    def end(self) -> None:
        """All that was asked for is finished: what is remembered of days done is of no use."""


@dataclass(slots=True, eq=False)
class Order:
    """Neighbouring days of one account (digits), oldest first, that are finished together.

    `is_fresh`: what an earlier process or an earlier look asked for does not count.
    """

    account_id: str
    days: tuple[date, ...]
    is_fresh: bool = False
    parts: list[Part] = field(default_factory=list)
    sink: Sink | None = None
    report_run_ids: list[str] = field(default_factory=list)
    calls: int = 0
    api_version: str = ""
    started: float = 0.0
    age_seconds: float = 0.0  # when it was finished
    numbers: int = 0
    error: str = ""

    def next_number(self) -> int:
        """A number that no part of this order had before."""
        self.numbers += 1
        return self.numbers

    def of(self, days: tuple[date, ...]) -> Order:
        """The same for some of the days, begun anew."""
        return Order(self.account_id, days, is_fresh=self.is_fresh)

    @property
    def is_in(self) -> bool:
        """All pages of all parts are in."""
        return all(part.is_read for part in self.parts)

    @property
    def asked_at(self) -> datetime | None:
        """When the first of its parts was asked for; None before any was."""
        return min((p.asked_at for p in self.parts if p.asked_at is not None), default=None)

    @property
    def fields(self) -> frozenset[str]:
        """What every part was asked for."""
        return frozenset.intersection(*(frozenset(part.ask.fields) for part in self.parts))

    def __str__(self) -> str:
        first, last = self.days[0], self.days[-1]
        return f"act_{self.account_id} {first}" + ("" if first == last else f" to {last}")


@dataclass(slots=True, eq=False)
class Part:
    """One question of an order, and the report run that is to answer it.

    By the clock: when the run was `created`, when it last `changed`, when a poll was last `heard`
    of, `silent_since` when they say nothing, and when the next one is `due`. `silent_polls` say
    nothing, `same_polls` nothing new. `asked_at` is the instant at which the run was created, by
    this process or by an earlier one: its numbers are those of that time.
    """

    order: Order
    ask: Ask
    number: int
    run: ReportRun = field(default_factory=lambda: ReportRun.unseen(""))
    created: float = 0.0
    asked_at: datetime | None = None
    changed: float = 0.0
    heard: float = 0.0
    silent_since: float | None = None
    silent_polls: int = 0
    unknown_polls: int = 0
    same_polls: int = 0
    due: float = 0.0
    is_read: bool = False

    @property
    def report_run_id(self) -> str:
        """Empty before there is a run."""
        return self.run.report_run_id

    def was_polled(self, run: ReportRun, now: float) -> None:
        """A poll has said where its run stands."""
        self.heard, self.silent_since = now, None
        self.same_polls += 1
        if run != self.run:
            self.run, self.changed, self.same_polls = run, now, 0

    def may_pass(self, error: GraphError, now: float) -> bool:
        """Whether a poll that failed says nothing of its run. A rest for a limit is no silence."""
        if isinstance(error, NotFoundError):
            # Not known everywhere yet. A poll that was held back by a limit comes late and is the
            # first all the same, so only a second one gives a run up.
            self.unknown_polls += 1
            return self.unknown_polls == 1 or now - self.created <= FRESH_SECONDS
        if isinstance(error, ThrottledError):
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since, self.silent_polls = now, 1
        else:
            self.silent_polls += 1
        silent_seconds = 0.0 if self.silent_since is None else now - self.silent_since
        is_silent = silent_seconds > SILENT_SECONDS and self.silent_polls >= SILENT_POLLS
        is_late = now - self.heard > MAX_THROTTLED_SECONDS
        return isinstance(error, RetryableError) and not is_silent and not is_late

    def drop(self) -> None:
        """Forget what it brought: it is read or asked for again under another number."""
        if self.order.sink is not None:
            self.order.sink.drop(self.number)
        self.number = self.order.next_number()


@dataclass(slots=True)
class Known:
    """What the calls of one account have shown so far.

    `is_heard`: one of them has come back. `closed`: why nothing of it may be read. `took_seconds`:
    its latest run. `is_lied_to`: what was called too much was delivered when it was asked for
    again. `is_doubtful`: a question had to be split and nothing was read since; days that failed
    meanwhile are `lost`, by reason. `too_old`: what was refused for its age; `is_halving`: halves
    are asked for to find how old is too old.
    """

    is_heard: bool = False
    closed: str = ""
    took_seconds: float = 0.0
    is_lied_to: bool = False
    is_doubtful: bool = False
    lost: Counter[type[Exception]] = field(default_factory=Counter)
    too_old: TooOld = field(default_factory=TooOld)
    is_halving: bool = False

    def was_read(self, ask: Ask) -> None:
        """The answer to a question is in."""
        self.is_doubtful = False
        self.lost.clear()
        self.is_lied_to |= ask.was_too_much

    def lose(self, error: Exception) -> None:
        """A day could not be had."""
        self.lost[type(error)] += self.is_doubtful

    def is_hopeless(self, error: Exception) -> bool:
        """Whether days enough were lost for this reason at every size."""
        return self.lost[type(error)] >= LOST_DAYS


def runs_allowed(usage: Mapping[Limit, float], account_id: str, most: int) -> int:
    """Report runs that may be in flight, or calls under way, of `most`; of one account or, without
    one, of the app.

    It follows the shares of the limits: none is used up by what could have waited.
    """
    return max(1, int(most * _part_allowed(usage, {account_id})))


def patience(usage: Mapping[Limit, float], account_id: str) -> float:
    """How many times longer than usual to wait for the next poll of a run: the less there is left
    of a limit, the more it is needed for what brings rows.
    """
    return 1 / _part_allowed(usage, {"", account_id})


def _part_allowed(usage: Mapping[Limit, float], account_ids: Collection[str]) -> float:
    shares = (percent for limit, percent in usage.items() if limit.account_id in account_ids)
    busiest = max(shares, default=0.0)
    return next((part for level, part in _ALLOWED_AT if busiest >= level), 1.0)
