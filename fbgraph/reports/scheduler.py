"""Whose turn it is: which call of a report engine is made next, and how long there is none.

Accounts take turns, the least served first; none is asked while it rests for a limit, and runs in
flight keep to what the usage headers allow.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fbgraph.http.request import Request
from fbgraph.reports.runner import poll_of
from fbgraph.reports.task import Known, runs_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from fbgraph.client import GraphClient
    from fbgraph.reports.task import Order, Part

__all__ = ["ACCOUNT_RUNS", "APP_RUNS", "Job", "Turns"]

#: Report runs in flight, and calls under way, at most; `runs_allowed` makes fewer of them.
ACCOUNT_RUNS: Final = 5
APP_RUNS: Final = 30
ACCOUNT_CALLS: Final = 3
APP_CALLS: Final = 12

Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Job(Generic[Result]):
    """Calls that a thread makes for an account, and what follows from them in the deciding one.

    `account_id` is empty for polls, which are made for many.
    """

    account_id: str
    work: Callable[[], Any]
    then: Callable[[Any], Iterator[Result]]
    failed: Callable[[Exception], Iterator[Result]]


@dataclass(slots=True)
class Turns(Generic[Result]):
    """What waits to be done, what is under way (`active`) and which runs are in `flight`; and what
    is `known` of each account.

    Before some call has come back nothing is known of a limit, and one goes ahead: of an account,
    and at the beginning of the app. Of a doubtful account one run goes ahead: what fails at every
    size is so found out by one run of each, and not by all of them. While halves are asked for to
    find how old is too old, one call of an account decides about the next.
    """

    client: GraphClient
    flight: list[Part] = field(default_factory=list)
    active: dict[Future[Any], Job[Result]] = field(default_factory=dict)
    known: defaultdict[str, Known] = field(default_factory=lambda: defaultdict(Known))
    _is_heard: bool = False
    _to_create: dict[str, deque[Part]] = field(default_factory=dict)
    _jobs: dict[str, deque[Job[Result]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._to_create or self._jobs or self.flight or self.active)

    def create(self, part: Part, *, is_next: bool = False) -> None:
        """A part waits for its report run; `is_next`: before the others of its account."""
        waiting = self._to_create.setdefault(part.order.account_id, deque())
        waiting.appendleft(part) if is_next else waiting.append(part)

    def do(self, job: Job[Result]) -> None:
        """A job waits: reading a run, finishing an order."""
        self._jobs.setdefault(job.account_id, deque()).append(job)

    def heard(self, account_id: str) -> None:
        """A call of an account has come back."""
        self._is_heard = self.known[account_id].is_heard = True

    def forget(self, order: Order) -> None:
        """Nothing more is asked for an order."""
        self.flight = [part for part in self.flight if part.order is not order]
        waiting = self._to_create.pop(order.account_id, deque())
        if others := deque(part for part in waiting if part.order is not order):
            self._to_create[order.account_id] = others

    def orders_of(self, account_ids: Iterable[str]) -> Sequence[Order]:
        """Orders of these accounts that wait for a report run."""
        parts = [part for key in account_ids for part in self._to_create.get(key, ())]
        return list(dict.fromkeys(part.order for part in parts))

    def due(self) -> Sequence[tuple[Part, Request]]:
        """Runs whose poll is due, with the call; those calls must then be made.

        As few together as there may be runs in flight: of many that reach a limit at once, all but
        one would be calls into a block.
        """
        now, usage = self.client.clock(), self.client.usage()
        asked: Counter[str] = Counter()
        polls = []
        for part in sorted(self.flight, key=lambda part: part.due):
            key, poll = part.order.account_id, poll_of(part)
            is_many = asked.total() >= runs_allowed(usage, "", APP_RUNS)
            if part.due > now or is_many or asked[key] >= runs_allowed(usage, key, ACCOUNT_RUNS):
                continue
            if self.client.cooldown_before(poll) <= 0:
                asked[key] += 1
                polls.append((part, poll))
        return polls

    def next_job(self) -> Job[Result] | None:
        """The job whose turn it is, if one may be started now."""
        account_id = self._least_served(self._jobs)
        return None if account_id is None else _pop(self._jobs, account_id)

    def next_creation(self) -> Part | None:
        """The part whose run is to be created next, if one may be now."""
        usage = self.client.usage()
        calls = self._calls()
        runs = Counter(part.order.account_id for part in self.flight) + calls
        if not self._to_create or runs.total() >= runs_allowed(usage, "", APP_RUNS):
            return None
        most = {
            key: 1 if self.known[key].is_doubtful else runs_allowed(usage, key, ACCOUNT_RUNS)
            for key in self._to_create
        }
        waiting = {key for key in most if calls[key] and self.known[key].is_halving}
        account_id = self._least_served(
            key for key in most if runs[key] < most[key] and key not in waiting
        )
        return None if account_id is None else _pop(self._to_create, account_id)

    def idle_seconds(self, default: float) -> float:
        """How long nothing can be started unless a call comes back."""
        now = self.client.clock()
        waits = [
            max(part.due - now, self.client.cooldown_of(poll_of(part))) for part in self.flight
        ]
        rests = [self._cooldown_of(key) for key in {*self._to_create, *self._jobs}]
        return min([*waits, *filter(None, rests)], default=default)

    def _least_served(self, account_ids: Iterable[str]) -> str | None:
        """None that rests for a limit; the one with the fewest calls and runs first."""
        wanting, calls = list(account_ids), self._calls()
        rests = {key: self._cooldown_of(key) for key in {*wanting, *calls}}
        usage = self.client.usage()
        under_way = sum(n for key, n in calls.items() if rests[key] <= 0)
        if under_way >= (runs_allowed(usage, "", APP_CALLS) if self._is_heard else 1):
            return None
        runs = Counter(part.order.account_id for part in self.flight)
        most = {
            key: runs_allowed(usage, key, ACCOUNT_CALLS) if self.known[key].is_heard else 1
            for key in wanting
        }
        free = [key for key in wanting if calls[key] < most[key] and rests[key] <= 0]
        return min(free, key=lambda key: calls[key] + runs[key], default=None)

    def _calls(self) -> Counter[str]:
        return Counter(job.account_id for job in self.active.values() if job.account_id)

    def _cooldown_of(self, account_id: str) -> float:
        """Insights of an account are what everything here counts against."""
        return self.client.cooldown_of(Request("GET", f"act_{account_id}/insights"))


def _pop(queues: dict[str, deque[Any]], account_id: str) -> Any:
    found = queues[account_id].popleft()
    if not queues[account_id]:
        del queues[account_id]
    return found
