"""Where scenarios take hold: what each hook is given, and what a scenario that is on remembers.

Every hook is a function whose first argument is its `Fault`. One that changes something takes that
next, and gives it back as it is where it does not strike, so that strikes can be counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fbgraph.sandbox.world.dice import dice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from fbgraph.sandbox.insights.extent import InsightsRequest
    from fbgraph.sandbox.insights.query import Query
    from fbgraph.sandbox.insights.rows import Tables
    from fbgraph.sandbox.insights.runs import Run, RunState
    from fbgraph.sandbox.limits.quota import Quota
    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse
    from fbgraph.sandbox.protocol.paging import Cut, PageRequest
    from fbgraph.sandbox.world.context import RequestContext
    from fbgraph.sandbox.world.delivery import HoursOf, Progress
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["HOOKS", "Fault", "Making", "Scenario", "View"]


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at numbers: a report of some `level`, or the truth.

    `times_shown` counts the report runs that showed these days so far; 0 is a synchronous call.
    `by_hour`: each row is an hour.
    """

    now: datetime
    level: str | None = None
    times_shown: int = 0
    by_hour: bool = False


class Making(NamedTuple):
    """The rows of a report while they are made. `write` gives those of another query."""

    query: Query
    node: WorldNode
    #: How often this report was begun to be read.
    reading: int
    write: Callable[[Query], Iterator[bytes]]


@dataclass(slots=True)
class Fault:
    """A scenario that is on. `number` or `word` is its strength, `since` when it was turned on,
    `seen` what it remembers.
    """

    name: str
    number: int = 0
    word: str = ""
    since: datetime | None = None
    seen: Counter[object] = field(default_factory=Counter)

    def times(self, *key: object) -> int:
        """How often it was asked about this, now included."""
        self.seen[key] += 1
        return self.seen[key]

    def picks(self, number: int) -> bool:
        """One in `self.number` consecutive numbers, each time at another place among them.

        A fixed place could meet the same step of a client's loop again and again.
        """
        block, at = divmod(number, max(1, self.number))
        return at == dice(self.name, block) % max(1, self.number)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault. `source`: the public page that documents it, or where it was seen.

    `strength` is the default of what may follow the name after a colon; `words` are the only ones
    that may, where it is a word; or `reads` raises ValueError for others, which says what is
    expected.
    """

    does: str
    source: str
    strength: int | str | None = None
    words: Collection[str] = ()
    reads: Callable[[str], object] | None = None
    #: Refuses a call before it is looked at.
    before: Callable[[Fault, ServerRequest, RequestContext], None] | None = None
    #: Changes the version that serves a call.
    version: Callable[[Fault, str], str] | None = None
    #: Refuses a synchronous insights call or the creation of a run.
    insights: Callable[[Fault, InsightsRequest], None] | None = None
    #: Moves the ends of a page.
    cut: Callable[[Fault, Cut, PageRequest], Cut] | None = None
    #: Changes or drops ``total_count``.
    total: Callable[[Fault, int], int | None] | None = None
    #: Changes what a poll of a report run shows.
    poll: Callable[[Fault, RunState, Run], RunState] | None = None
    #: Refuses to show the rows of a finished run.
    read: Callable[[Fault, Run], None] | None = None
    #: Changes what ads deliver, before anybody looks: insights, truth and `amount_spent` show it.
    delivers: Callable[[Fault, HoursOf], HoursOf] | None = None
    #: Changes how much of what was delivered insights know.
    shown: Callable[[Fault, Progress], Progress] | None = None
    #: When `amount_spent` of an account began again from 0, if it has by now.
    counter: Callable[[Fault, WorldNode, datetime], datetime | None] | None = None
    #: The fields of a budget schedule that a campaign or ad set has, if it has one.
    schedule: Callable[[Fault, WorldNode], Mapping[str, Any] | None] | None = None
    #: Changes the numbers that insights, and the truth, are made of.
    tables: Callable[[Fault, Tables, View], Tables] | None = None
    #: Changes which rows a report has, or their order.
    rows: Callable[[Fault, Iterator[bytes], Making], Iterator[bytes]] | None = None
    #: Changes what an account has enabled (feature → first day with rows, or "" for all days), by
    #: the account's place in the listing.
    features: Callable[[Fault, Mapping[str, str], int], Mapping[str, str]] | None = None
    #: Changes a finished response.
    after: (
        Callable[[Fault, ServerResponse, ServerRequest, RequestContext], ServerResponse] | None
    ) = None
    #: Changes the response of an item of a batch; None makes the item null.
    item: Callable[[Fault, ServerResponse, ServerRequest], ServerResponse | None] | None = None
    #: Changes a picture, which is not Graph's to send.
    media: Callable[[Fault, ServerResponse], ServerResponse] | None = None
    #: The figures of quotas that count, by the scenario's number.
    quota: Callable[[int], Quota] | None = None


#: The names of all hooks.
HOOKS: Final = (
    *("before", "version", "insights", "cut", "total", "poll", "read", "tables", "rows", "after"),
    *("item", "features", "media", "delivers", "shown", "counter", "schedule"),
)
