"""The scheduler: what a report engine starts next, of all that waits.

`next_call` and `next_run` decide, from values alone; a `Scheduler` has the queues. Accounts take
turns, the least served first, and the newest days of each; none is called while a limit holds it
back, and the amount under way follows the usage headers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fbgraph.reports.allowance import ACCOUNT_CALLS, ACCOUNT_RUNS, APP_CALLS, APP_RUNS, allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from datetime import date

    from fbgraph.limits.usage import Limit

__all__ = ["Scheduler", "Situation", "Standing", "next_call", "next_run"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of an account: its `calls` under way, its report `runs` in flight, how long a limit
    holds it back, and what `AccountState` knows about it.
    """

    calls: int = 0
    runs: int = 0
    cooldown_seconds: float = 0.0
    has_response: bool = True
    is_doubtful: bool = False
    is_halving: bool = False

    @property
    def served(self) -> int:
        """How much of the account is under way."""
        return self.calls + self.runs


_NOTHING: Final = Standing()


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision depends on: the share of each limit in percent, and the standing
    of each account that waits or has anything under way. `has_response`: some response has arrived.
    """

    usage: Mapping[Limit, float]
    standings: Mapping[str, Standing]
    has_response: bool = True

    def of(self, account_id: str) -> Standing:
        """The standing of an account; by default nothing is known, and nothing under way."""
        return self.standings.get(account_id, _NOTHING)

    def with_call(self, account_id: str) -> Situation:
        """The same with one more call under way."""
        one = self.of(account_id)
        standings = {**self.standings, account_id: replace(one, calls=one.calls + 1)}
        return replace(self, standings=standings)


def next_call(now: Situation, waiting: Iterable[str]) -> str | None:
    """The account, of those with a call waiting, whose call is made next; None if none may be.

    Until a response has arrived nothing is known about a limit, so one call goes ahead: of each
    account, and at the beginning of the app. Calls of an account that a limit holds back sleep, and
    do not count.
    """
    awake = sum(one.calls for one in now.standings.values() if one.cooldown_seconds <= 0)
    if awake >= (allowed(now.usage, "", APP_CALLS) if now.has_response else 1):
        return None
    free = [key for key in waiting if _may_call(now, key)]
    return min(free, key=lambda key: now.of(key).served, default=None)


def _may_call(now: Situation, account_id: str) -> bool:
    one = now.of(account_id)
    most = allowed(now.usage, account_id, ACCOUNT_CALLS) if one.has_response else 1
    return one.cooldown_seconds <= 0 and one.calls < most


def next_run(now: Situation, waiting: Iterable[str]) -> str | None:
    """The account, of those with a report run to create, whose run is created next, if any may be.
    A call that is under way counts as a run: most of them create one or have just read one.
    """
    under_way = sum(one.served for one in now.standings.values())
    if under_way >= allowed(now.usage, "", APP_RUNS):
        return None
    return next_call(now, [key for key in waiting if _may_create(now, key)])


def _may_create(now: Situation, account_id: str) -> bool:
    """One run of a doubtful account goes ahead of the others: what fails at every size then costs
    one run of each. While halves are requested to find the age limit, one call decides about the
    next.
    """
    one = now.of(account_id)
    most = 1 if one.is_doubtful else allowed(now.usage, account_id, ACCOUNT_RUNS)
    return one.served < most and not (one.is_halving and one.calls)


class Scheduler(Generic[Item]):
    """What waits to be started, by account: calls in the order in which they arrived, and report
    runs, those of the newest days first.
    """

    def __init__(self) -> None:
        self._calls: dict[str, deque[Item]] = {}
        self._runs: dict[str, list[tuple[bool, int, int, Item]]] = {}
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self._calls or self._runs)

    @property
    def waiting(self) -> frozenset[str]:
        """Accounts for which something waits."""
        return frozenset(self._calls.keys() | self._runs.keys())

    def add_call(self, account_id: str, item: Item) -> None:
        """Queue a call: reading a run, finishing a task."""
        self._calls.setdefault(account_id, deque()).append(item)

    def add_run(self, account_id: str, item: Item, newest: date, *, is_last: bool = False) -> None:
        """Queue the creation of a report run of days up to `newest`; `is_last`: after the others.
        For equal days the latest is next: what was split is finished first.
        """
        self._number -= 1
        entry = (is_last, -newest.toordinal(), self._number, item)
        heappush(self._runs.setdefault(account_id, []), entry)

    def starts(self, now: Situation) -> list[Item]:
        """Everything that may be started now: calls, which return rows, before new runs."""
        started = []
        while (key := next_call(now, self._calls)) is not None:
            started.append(self._calls[key].popleft())
            now = now.with_call(key)
            _drop_empty(self._calls, key)
        while (key := next_run(now, self._runs)) is not None:
            started.append(heappop(self._runs[key])[-1])
            now = now.with_call(key)
            _drop_empty(self._runs, key)
        return started


def _drop_empty(queues: MutableMapping[str, Any], account_id: str) -> None:
    if not queues[account_id]:
        del queues[account_id]
