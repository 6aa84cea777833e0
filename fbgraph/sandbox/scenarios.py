"""Faults by name, and where each takes hold.

A scenario is one line of `SCENARIOS`; its functions (in `faults`) hook in at named points and are
chained in the order in which scenarios were named, so they combine.

- ``before``: refuses a call before it is looked at
- ``cut``: moves the ends of a page
- ``total``: changes or drops ``total_count``
- ``poll``: changes what a poll of a report run shows
- ``tables``: changes the numbers that insights (and the truth) are made of
- ``after``: changes a finished answer
- ``item``: changes the answer to an item of a batch, or leaves it out with None
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fbgraph.sandbox.call import Answer, Call
    from fbgraph.sandbox.faults import Place, View
    from fbgraph.sandbox.insights import Tables
    from fbgraph.sandbox.paging import Asked, Cut
    from fbgraph.sandbox.runs import Run, RunState

__all__ = ["SCENARIOS", "Active", "Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault. `section` is that of the contract which it imitates."""

    does: str
    section: str
    before: Callable[[Call, Place], None] | None = None
    cut: Callable[[Cut, Asked], Cut] | None = None
    total: Callable[[int], int | None] | None = None
    poll: Callable[[Run, RunState], RunState] | None = None
    tables: Callable[[Tables, View], Tables] | None = None
    after: Callable[[Call, Answer], Answer] | None = None
    item: Callable[[Call, Answer], Answer | None] | None = None


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "expired_token": Scenario("every call answers 190/463", "2.12", before=faults.expire),
    "forbidden_account": Scenario(
        "the second account is listed but refuses everything with 200", "2.12", before=faults.forbid
    ),
    "throttled": Scenario(
        f"every {faults.THROTTLED_EVERY}th call answers 80000 with minutes to wait",
        "7.3",
        before=faults.throttle,
    ),
    "empty_pages": Scenario(
        "short pages and empty pages in the middle of lists, with next",
        "3.4.3",
        cut=faults.thin_out,
    ),
    "repeated_cursor": Scenario(
        "pages after the first offer the cursor they were asked with", "3.4.13", cut=faults.repeat
    ),
    "no_total_count": Scenario("the summary of edges is missing", "3.5.4", total=lambda _: None),
    "wrong_total_count": Scenario(
        "total_count is one too high", "3.5.5", total=lambda count: count + 1
    ),
    "run_fails_once": Scenario(
        "the first run of a query fails; the same query succeeds again",
        "6.8",
        poll=faults.fail_once,
    ),
    "run_skipped_once": Scenario(
        "the first run of a query is skipped; the same query succeeds again",
        "6.6",
        poll=faults.skip_once,
    ),
    "run_stuck_at_100": Scenario(
        f"a run says Job Running at 100 % for {faults.STUCK_POLLS} polls", "6.7", poll=faults.stick
    ),
    "fresh_run_unknown": Scenario(
        "the first poll of a run answers 100/33", "6.11", poll=faults.not_yet_known
    ),
    "restated": Scenario(
        "numbers of the last 28 days differ by a few percent; so does the truth",
        "5.5",
        tables=faults.restate,
    ),
    "wrong_rows": Scenario(
        "lists of ads lack one hour of each account-day; totals keep it",
        "5.6.11",
        tables=faults.lose_a_row,
    ),
    "flaky": Scenario(
        f"every {faults.FLAKY_EVERY}th answer: HTML 502, empty 500, text 200, cut JSON or code 2",
        "8.1",
        after=faults.break_answer,
    ),
}


class Active:
    """The scenarios that are on. Raises ValueError for a name that is not in the table."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys(names))
        unknown = [name for name in self.names if name not in SCENARIOS]
        if unknown:
            known = ", ".join(sorted(SCENARIOS))
            raise ValueError(f"no scenario is called {', '.join(unknown)}; there are: {known}")
        self._on = [SCENARIOS[name] for name in self.names]

    def before(self, call: Call, place: Place) -> None:
        for one in self._on:
            if one.before:
                one.before(call, place)

    def cut(self, cut: Cut, asked: Asked) -> Cut:
        for one in self._on:
            cut = one.cut(cut, asked) if one.cut else cut
        return cut

    def total(self, count: int) -> int | None:
        total: int | None = count
        for one in self._on:
            total = one.total(total) if one.total and total is not None else total
        return total

    def polls(self) -> Sequence[Callable[[Run, RunState], RunState]]:
        return [one.poll for one in self._on if one.poll]

    def tables(self, tables: Tables, view: View) -> Tables:
        for one in self._on:
            tables = one.tables(tables, view) if one.tables else tables
        return tables

    def after(self, call: Call, answer: Answer) -> Answer:
        for one in self._on:
            answer = one.after(call, answer) if one.after else answer
        return answer

    def item(self, call: Call, answer: Answer) -> Answer | None:
        kept: Answer | None = answer
        for one in self._on:
            kept = one.item(call, kept) if one.item and kept else kept
        return kept
