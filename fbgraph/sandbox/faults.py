"""What the scenarios do, each as a function for its hook; `scenarios` holds the table.

All are deterministic: those that strike now and then go by the number of the call.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.access import EXPIRED_ON
from fbgraph.sandbox.call import Answer
from fbgraph.sandbox.days import local_date
from fbgraph.sandbox.delivery import Numbers
from fbgraph.sandbox.paging import Cursor
from fbgraph.sandbox.refusals import REFUSALS, RefusedError, error_body, refused
from fbgraph.sandbox.runs import FAILURES, RunState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from fbgraph.sandbox.call import Call
    from fbgraph.sandbox.delivery import Table
    from fbgraph.sandbox.insights import Tables
    from fbgraph.sandbox.paging import Asked, Cut
    from fbgraph.sandbox.runs import Run
    from fbgraph.sandbox.world import Node, World

__all__ = [
    "FLAKY_EVERY",
    "STUCK_POLLS",
    "THROTTLED_EVERY",
    "Place",
    "View",
    "break_answer",
    "expire",
    "fail_once",
    "forbid",
    "lose_a_row",
    "not_yet_known",
    "repeat",
    "restate",
    "skip_once",
    "stick",
    "thin_out",
    "throttle",
]


@dataclass(frozen=True, slots=True)
class Place:
    """What a call is about: `account` is None where it names none, as in ``me/adaccounts``."""

    world: World
    account: Node | None
    now: datetime


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at numbers: a report of some `level`, or the truth."""

    now: datetime
    level: str | None = None


# --- before ---------------------------------------------------------------------------------

#: The account that `forbidden_account` closes, in the order of the listing.
FORBIDDEN: Final = 1

#: One call in so many is throttled, or goes wrong. Prime to each other, so they rarely coincide.
THROTTLED_EVERY: Final = 9
FLAKY_EVERY: Final = 5

#: Minutes after which Meta says that calls are let in again.
REGAIN_MINUTES: Final = 1


def forbid(_: Call, place: Place) -> None:
    if place.account and place.account is place.world.accounts[FORBIDDEN]:
        raise refused("account_forbidden")


def expire(_: Call, place: Place) -> None:
    current = f"{place.now:%A, %d-%b-%y %H:%M:%S} PST"
    raise refused("token_expired", expired=EXPIRED_ON, current=current)


def throttle(call: Call, place: Place) -> None:
    if call.number % THROTTLED_EVERY != THROTTLED_EVERY - 1:
        return
    account = place.account.id if place.account else place.world.accounts[0].id
    usage = (
        f'{{"{account}":[{{"type":"ads_insights","call_count":100,"total_cputime":40,'
        f'"total_time":40,"estimated_time_to_regain_access":{REGAIN_MINUTES},'
        '"ads_api_access_tier":"standard_access"}]}'
    )
    known = replace(REFUSALS["throttled"], headers={"x-business-use-case-usage": usage})
    raise RefusedError(known)


# --- cut, total -----------------------------------------------------------------------------


def thin_out(cut: Cut, asked: Asked) -> Cut:
    """By turns a short page, an empty one and a full one. The cursor remembers whose turn it is."""
    turn = asked.after.step % 3 if asked.after else 0
    held = {0: (cut.stop - cut.start + 1) // 2, 1: 0}.get(turn, cut.stop - cut.start)
    stop = cut.start + held
    more = stop < cut.total
    last = Cursor(max(stop - 1, 0), (turn + 1) % 3 if more else 0)
    return replace(cut, stop=stop, more=more, after=last)


def repeat(cut: Cut, asked: Asked) -> Cut:
    """Every page after the first offers the cursor that it was asked with."""
    return replace(cut, after=asked.after, more=True) if asked.after else cut


# --- poll -----------------------------------------------------------------------------------

#: Polls for which `run_stuck_at_100` keeps a run that is done.
STUCK_POLLS: Final = 3


def fail_once(run: Run, state: RunState) -> RunState:
    if state.is_readable and run.attempt == 1:
        return RunState("Job Failed", 50, FAILURES["failed"])
    return state


def skip_once(run: Run, state: RunState) -> RunState:
    return RunState("Job Skipped", 0) if state.is_readable and run.attempt == 1 else state


def stick(run: Run, state: RunState) -> RunState:
    stuck = state.is_readable and run.polls_when_done <= STUCK_POLLS
    return RunState("Job Running", 100) if stuck else state


def not_yet_known(run: Run, state: RunState) -> RunState:
    if run.polls == 1:
        raise refused("unknown_object", method="get", id=run.id)
    return state


# --- tables ---------------------------------------------------------------------------------

#: Meta changes a day's numbers for so long. Source: Insights API, Best practices.
RESTATED_DAYS: Final = 28


def restate(tables: Tables, view: View) -> Tables:
    """Half of the ads' finished days of the last weeks move by a few percent."""

    def restated(ad: Node, day: date) -> Table:
        table = tables(ad, day)
        age = local_date(ad.zone, view.now) - day
        if not timedelta(days=1) <= age <= timedelta(days=RESTATED_DAYS):
            return table
        dice = random.Random(f"restated/{ad.id}/{day}")  # noqa: S311  seeded, no secret
        percent = 100 + dice.choice((0, 0, 0, -3, 2, 4))
        return {hour: _scaled(numbers, percent) for hour, numbers in table.items()}

    return restated


def _scaled(numbers: Numbers, percent: int) -> Numbers:
    # No count that was there disappears: an hour with delivery keeps its row.
    return Numbers._make([max(n * percent // 100, min(n, 1)) for n in numbers])


def lose_a_row(tables: Tables, view: View) -> Tables:
    """From lists of ads one hour of each account-day is missing; totals keep it."""
    if view.level != "ad":
        return tables

    def lossy(ad: Node, day: date) -> Table:
        table = tables(ad, day)
        if _first_delivering(tables, ad.account, day) is not ad:
            return table
        busiest = max(table, key=lambda hour: table[hour].impressions)
        return {hour: numbers for hour, numbers in table.items() if hour != busiest}

    return lossy


def _first_delivering(tables: Tables, account: Node, day: date) -> Node | None:
    ads = account.under("ad")
    return next((ad for ad in ads if any(n.impressions for n in tables(ad, day).values())), None)


# --- after ----------------------------------------------------------------------------------

HTML: Final = (
    b'<!DOCTYPE html><html lang="en" id="facebook"><head><title>Error</title></head></html>'
)
HTML_HEADERS: Final = {"content-type": "text/html; charset=utf-8"}

#: What goes wrong, in turn. Source: contract 8.1, 8.3.
BREAKS: Final[Sequence[Callable[[Answer], Answer]]] = (
    lambda _: Answer(HTML, 502, HTML_HEADERS),
    lambda _: Answer(b"", 500),
    lambda _: Answer(b"Service Unavailable", 200, HTML_HEADERS),
    lambda answer: replace(answer, body=answer.body[: len(answer.body) * 2 // 3]),
    lambda answer: replace(
        answer, body=error_body(refused("unavailable"), "AFlakySandbox"), status=503
    ),
)


def break_answer(call: Call, answer: Answer) -> Answer:
    turn, strikes = divmod(call.number, FLAKY_EVERY)
    return BREAKS[turn % len(BREAKS)](answer) if strikes == FLAKY_EVERY - 1 else answer
