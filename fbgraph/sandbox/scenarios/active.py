"""The scenarios that are on: their hooks in the order in which they were named, and who struck."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fbgraph.sandbox.faults.hooks import HOOKS, Fault
from fbgraph.sandbox.protocol.errors import RefusedError
from fbgraph.sandbox.scenarios.catalog import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.faults.hooks import Making, View
    from fbgraph.sandbox.insights.extent import InsightsRequest
    from fbgraph.sandbox.insights.rows import Tables
    from fbgraph.sandbox.insights.runs import Run, RunState
    from fbgraph.sandbox.limits.quota import Quota
    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse
    from fbgraph.sandbox.protocol.paging import Cut, PageRequest
    from fbgraph.sandbox.world.context import RequestContext
    from fbgraph.sandbox.world.delivery import HoursOf, Progress
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Active"]


def _fault(text: str, since: datetime | None) -> Fault:
    """``name`` or ``name:strength``. Raises ValueError for what is not in the table."""
    name, _, given = text.partition(":")
    if name not in SCENARIOS:
        known = ", ".join(sorted(SCENARIOS))
        raise ValueError(f"Unknown scenario {name!r}: expected one of {known}.")
    scenario = SCENARIOS[name]
    strength = given or scenario.strength
    if given and scenario.strength is None:
        raise ValueError(f"Scenario {name} takes no strength: remove ':{given}'.")
    if isinstance(scenario.strength, int):
        if not str(strength).isdecimal():
            raise ValueError(
                f"Invalid strength {given!r} for scenario {name}: expected a whole number."
            )
        return Fault(name, number=int(str(strength)), since=since)
    if scenario.words and strength not in scenario.words:
        known = ", ".join(sorted(scenario.words))
        raise ValueError(
            f"Invalid strength {given!r} for scenario {name}: expected one of {known}."
        )
    if scenario.reads:
        try:
            scenario.reads(str(strength))
        except ValueError as error:
            raise ValueError(f"Invalid strength {given!r} for scenario {name}: {error}.") from error
    return Fault(name, word=str(strength or ""), since=since)


class Active:
    """The scenarios that are on, `since` then. Raises ValueError for a name that is not in the
    table.

    `struck` counts how often each of them changed or refused something; for those that change
    numbers or rows, how many reports they changed.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        struck: Counter[str] | None = None,
        since: datetime | None = None,
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.since = since
        self.struck: Counter[str] = Counter() if struck is None else struck
        self.faults = [_fault(name, since) for name in self.names]
        self._hooks: dict[str, list[tuple[Fault, Callable[..., Any]]]] = {
            hook: [(f, do) for f in self.faults if (do := getattr(SCENARIOS[f.name], hook))]
            for hook in HOOKS
        }

    def quota(self) -> Quota | None:
        """The figures of the last scenario that has some."""
        made = [quota(f.number) for f in self.faults if (quota := SCENARIOS[f.name].quota)]
        return made[-1] if made else None

    def has(self, hook: str) -> bool:
        return bool(self._hooks[hook])

    def _chain(self, hook: str, value: Any, *facts: Any) -> Any:
        """Hand a value through every function of a hook. None ends the chain."""
        for fault, do in self._hooks[hook]:
            if value is not None:
                before, value = value, self._call(fault, do, value, *facts)
                if value is not before:
                    self.struck[fault.name] += 1
        return value

    def _call(self, fault: Fault, do: Callable[..., Any], *facts: Any) -> Any:
        try:
            return do(fault, *facts)
        except RefusedError:
            self.struck[fault.name] += 1
            raise

    def _notify(self, hook: str, *facts: Any) -> None:
        """Ask everyone who may refuse."""
        for fault, do in self._hooks[hook]:
            self._call(fault, do, *facts)

    def before(self, request: ServerRequest, context: RequestContext) -> None:
        self._notify("before", request, context)

    def version(self, version: str) -> str:
        served: str = self._chain("version", version)
        return served

    def insights(self, insights_request: Callable[[], InsightsRequest]) -> None:
        """`insights_request` is called only where somebody listens."""
        if self.has("insights"):
            self._notify("insights", insights_request())

    def cut(self, cut: Cut, requested: PageRequest) -> Cut:
        found: Cut = self._chain("cut", cut, requested)
        return found

    def total(self, count: int) -> int | None:
        found: int | None = self._chain("total", count)
        return found

    def poll(self, run: Run, state: RunState) -> RunState:
        found: RunState = self._chain("poll", state, run)
        return found

    def read(self, run: Run) -> None:
        self._notify("read", run)

    def delivers(self, hours_of: HoursOf) -> HoursOf:
        found: HoursOf = self._chain("delivers", hours_of)
        return found

    def shown(self, progress: Progress) -> Progress:
        found: Progress = self._chain("shown", progress)
        return found

    def restarted(self, account: WorldNode, now: datetime) -> datetime | None:
        """When the counter of an account last began again from 0, if a scenario made it."""
        asked = self._hooks["counter"]
        times = [(at, f) for f, do in asked if (at := self._call(f, do, account, now))]
        if not times:
            return None
        last: datetime
        last, fault = max(times, key=lambda time: time[0])
        self.struck[fault.name] += 1
        return last

    def schedules(self, node: WorldNode) -> Sequence[Mapping[str, Any]]:
        """The fields of each budget schedule of a campaign or ad set."""
        found = []
        for fault, do in self._hooks["schedule"]:
            if fields := self._call(fault, do, node):
                found.append(fields)
                self.struck[fault.name] += 1
        return found

    def tables(self, tables: Tables, view: View) -> Tables:
        found: Tables = self._chain("tables", tables, view)
        return found

    def rows(self, rows: Iterator[bytes], making: Making) -> Iterator[bytes]:
        found: Iterator[bytes] = self._chain("rows", rows, making)
        return found

    def features(self, features: Mapping[str, str], at: int) -> Mapping[str, str]:
        found: Mapping[str, str] = self._chain("features", features, at)
        return found

    def after(
        self, request: ServerRequest, response: ServerResponse, context: RequestContext
    ) -> ServerResponse:
        found: ServerResponse = self._chain("after", response, request, context)
        return found

    def item(self, request: ServerRequest, response: ServerResponse) -> ServerResponse | None:
        """What a batch has in place of a response; None is a null."""
        found: ServerResponse | None = self._chain("item", response, request)
        return found

    def media(self, response: ServerResponse) -> ServerResponse:
        """A picture as it is sent."""
        found: ServerResponse = self._chain("media", response)
        return found
