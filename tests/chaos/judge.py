"""What is wrong with a load that has ended, as sentences; an empty list is a load as it should be.

Pure: everything is decided from a `Trial`, and from what its scenarios may do (`expected`).
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.expected import EXPECTED, TOGETHER, May, name_of
from tests.chaos.trial import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipelines.loading.partitions import AccountDay
    from tests.chaos.trial import Row, Trial
    from tests.chaos.witness import Heard
    from warehouse.lake.records import Load

__all__ = ["RULES", "complaints", "states"]

#: How an account-day ends. BETWEEN is what must never be.
EQUAL, FAILED, UNPROVEN, UNTOUCHED, BETWEEN = "equal", "failed", "unproven", "untouched", "between"

#: Nothing was there before, and Meta said that there is nothing.
EMPTY: Final = "empty"

#: Why what was proven stays, where what came was not.
KEEPS: Final = "is proven and was kept, because the new rows are unproven: "

#: Report runs of one account in flight that are allowed at most.
MOST_RUNS: Final = 5

#: A report run may be given up that says nothing new for so long.
STUCK_SECONDS: Final = 300.0

#: What a poll says of a run that has not failed.
GOING_WELL: Final = ("Job Not Started", "Job Started", "Job Running", "Job Completed")

#: The shortest rest after a throttle of the sandbox, less what clocks may be off.
REST_SECONDS: Final = 59.0


def complaints(trial: Trial) -> list[str]:
    """Everything that is wrong, the rule's name first."""
    return [f"{name}: {one}" for name, rule in RULES.items() for one in rule(trial)]


def mays(trial: Trial) -> Sequence[May]:
    """What each scenario of a trial may do, and some of them together."""
    drawn = trial.plan.scenarios
    together = [may for names, may in TOGETHER.items() if names.issubset(drawn)]
    return [*(EXPECTED[name_of(name)] for name in drawn), *together]


# -- what became of each account-day -----------------------------------------------------------


def states(trial: Trial) -> Mapping[AccountDay, str]:
    """How every account-day ended."""
    return {one: _state(trial, one)[0] for one in trial.account_days}


def _state(trial: Trial, one: AccountDay) -> tuple[str, str]:
    """How it ended, with what was said of it, or what is wrong with it."""
    load, outcomes = trial.loads.get(one), trial.outcomes.get(one, [])
    is_old = trial.after.get(one) == trial.before.get(one)
    if len(outcomes) > 1:
        return BETWEEN, f"told {len(outcomes)} times"
    if outcomes and outcomes[0].error:
        error = outcomes[0].error
        return (FAILED, error) if is_old else (BETWEEN, f"failed and its file changed: {error}")
    if is_old:
        said = "told as loaded and its file is the old one" if outcomes else ""
        return (BETWEEN, said) if outcomes else (UNTOUCHED, "")
    if load is None:
        return BETWEEN, "a file without a record"
    if outcomes and outcomes[0].load != load:
        return BETWEEN, "the file's record is not the one that was told"
    return _judged(trial, one, load)


def _judged(trial: Trial, one: AccountDay, load: Load) -> tuple[str, str]:
    if load.proven and not load.rows and one not in trial.before and _may(trial, "empties"):
        return EMPTY, load.reason
    if not load.is_good and load.is_over and _may(trial, "loses_hours"):
        return UNPROVEN, load.reason
    return _judged_rows(load, trial.rows[one], trial.truth[one])


def _may(trial: Trial, what: str) -> bool:
    return any(getattr(may, what) for may in mays(trial))


def _judged_rows(load: Load, rows: Sequence[Row], truth: Sequence[Row]) -> tuple[str, str]:
    if load.missing_fields:
        rows, truth = (_without(load.missing_fields, some) for some in (rows, truth))
    if load.proven:
        return (EQUAL, "") if rows == truth else (BETWEEN, f"proven, and {_differ(rows, truth)}")
    is_short = all(row in truth for row in rows)
    is_sorry = "short of" in load.reason and is_short
    if rows == truth or is_sorry:
        return UNPROVEN, load.reason
    return BETWEEN, f"unproven ({load.reason}), and {_differ(rows, truth)}"


def _without(fields: Sequence[str], rows: Sequence[Row]) -> Sequence[Row]:
    kept = [at for at, name in enumerate(COLUMNS) if name not in fields]
    return sorted((tuple(row[at] for at in kept) for row in rows), key=str)


def _differ(rows: Sequence[Row], truth: Sequence[Row]) -> str:
    missing = [row for row in truth if row not in rows]
    more = [row for row in rows if row not in truth]
    return (
        f"{len(rows)} rows for {len(truth)} true ones: lacks {missing[:1]}, has {more[:1]} instead"
    )


# -- rules -------------------------------------------------------------------------------------


def _ends(trial: Trial) -> Iterator[str]:
    if trial.hung:
        yield trial.hung


def _between(trial: Trial) -> Iterator[str]:
    for one in trial.account_days:
        state, said = _state(trial, one)
        if state == BETWEEN:
            yield f"{one} {said}"


def _stops(trial: Trial) -> Iterator[str]:
    """An error ends everything only where one may, and then what is not told is untouched."""
    kinds = tuple(may.stops for may in mays(trial) if may.stops)
    if trial.stopped is not None and not isinstance(trial.stopped, kinds):
        yield f"ended by {type(trial.stopped).__name__}: {trial.stopped}"
    if trial.stopped is None:
        yield from (
            f"{one} was never told" for one in trial.account_days if one not in trial.outcomes
        )


def _fails(trial: Trial) -> Iterator[str]:
    """An account-day fails only where it may, and for the reason that it may."""
    for one in trial.account_days:
        state, said = _state(trial, one)
        if state != FAILED:
            continue
        at = trial.account_ids.index(one.account_id)
        is_known = any(
            may.fails and at in may.accounts and re.search(may.fails, said) for may in mays(trial)
        )
        _, keeps, reason = said.partition(KEEPS)
        if not is_known and not (keeps and _may_be_unproven(trial, reason)):
            yield f"{one} failed: {said}"


def _unproven(trial: Trial) -> Iterator[str]:
    for one in trial.account_days:
        state, said = _state(trial, one)
        if state == UNPROVEN and not _may_be_unproven(trial, said):
            yield f"{one} is unproven: {said}"


def _may_be_unproven(trial: Trial, reason: str) -> bool:
    """Every part of the reason is one that a scenario may bring."""
    patterns = [may.unproven for may in mays(trial) if may.unproven]
    return all(any(re.search(one, part) for one in patterns) for part in reason.split("; "))


def _missing(trial: Trial) -> Iterator[str]:
    """Only fields that a scenario kills are left out, and then the record names them."""
    may_lack = {name for may in mays(trial) for name in may.missing}
    for one, load in trial.loads.items():
        if trial.after.get(one) == trial.before.get(one):
            continue
        if not set(load.missing_fields) <= may_lack:
            yield f"{one} lacks {load.missing_fields}"
        if may_lack and load.run_id == "chaos" and not load.missing_fields:
            names = sorted(may_lack)
            at = [list(COLUMNS).index(name) for name in names]
            if all(row[k] is None for row in trial.rows[one] for k in at):
                yield f"{one} does not say that it lacks {names}"


def _left(trial: Trial) -> Iterator[str]:
    """Nothing unfinished is left; runs are remembered only of account-days that are not done."""
    told = states(trial)
    for path in trial.left:
        parts = path.split("/")
        undone = trial.stopped or any(
            told[one] in (FAILED, UNTOUCHED) for one in told if one.account_id in parts
        )
        is_known = parts[0] == ".failed" or (parts[0] == ".runs" and path.endswith(".json"))
        if not is_known or not undone:
            yield path


def _listed(trial: Trial) -> Iterator[str]:
    """What was told as failed is remembered as failed, and nothing else is."""
    remembered = {path for path in trial.left if path.startswith(".failed/")}
    failed = {
        f".failed/insights_hourly/{one.account_id}/{one.day}.json"
        for one, outcomes in trial.outcomes.items()
        if any(outcome.error for outcome in outcomes)
    }
    yield from (f"not remembered: {path}" for path in sorted(failed - remembered))
    yield from (f"remembered: {path}" for path in sorted(remembered - failed))


def _same_runs(trial: Trial) -> Iterator[str]:
    """A report run is created again only where the one before it failed, or could have: its id was
    not told, it answered badly, said nothing new for long; or numbers moved after it was read.
    """
    may_move = any(may.moves or may.unproven for may in mays(trial))
    asked: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    for heard in trial.heard:
        if heard.method == "POST" and heard.is_insights:
            asked[heard.path, heard.params].append(heard)
    about = _about_runs(trial)
    for (path, params), creations in asked.items():
        read = 0
        for before, again in pairwise(creations):
            fate = _fate(before, again, about)
            read += fate == "read"
            if fate == "well" or (fate == "read" and not (may_move and read <= 1)):
                yield f"{path} {_days(params)} created again: run {before.created} was {fate}"


def _about_runs(trial: Trial) -> Mapping[str, Sequence[Heard]]:
    runs = {heard.created for heard in trial.heard if heard.created}
    about: dict[str, list[Heard]] = defaultdict(list)
    for heard in trial.heard:
        if heard.first in runs:
            about[heard.first].append(heard)
    return about


def _fate(before: Heard, again: Heard, about: Mapping[str, Sequence[Heard]]) -> str:
    """What had become of a run when its question was asked again."""
    if not before.created:
        return "untold"
    news = [one for one in about.get(before.created, ()) if one.heard < again.sent]
    if any(one.is_last_page for one in news) and not any(_is_bad(one) for one in news[-1:]):
        return "read"
    if (
        _repeats(news)
        or any(_is_bad(one) for one in news)
        or again.sent_at - before.heard_at > STUCK_SECONDS
    ):
        return "bad"
    return "well"


def _repeats(news: Sequence[Heard]) -> bool:
    """Whether a page came with the rows of the one before."""
    pages = [one.answer["data"] for one in news if one.is_insights and one.is_good]
    return any(rows and rows == before for before, rows in pairwise(pages))


def _is_bad(heard: Heard) -> bool:
    """An answer that failed, a poll that says that the run did, a page that leads nowhere."""
    if not heard.is_good:
        return True
    if heard.is_insights:
        return heard.is_stuck
    return heard.answer.get("async_status") not in GOING_WELL


def _days(params: str) -> str:
    asked: Any = json.loads(params)
    return f"{asked.get('time_range')} {asked.get('filtering')}"


def _in_flight(trial: Trial) -> Iterator[str]:
    """Runs whose id was not told are in flight for the server alone, and so are those of an
    account-day that has failed meanwhile.
    """
    untold = Counter(
        heard.first.removeprefix("act_")
        for heard in trial.heard
        if heard.method == "POST" and heard.is_insights and not heard.created
    )
    failed = {one.account_id for one, state in states(trial).items() if state == FAILED}
    for account, most in trial.calls["most_runs_in_flight"].items():
        if account not in failed and most > MOST_RUNS + untold[account]:
            yield f"act_{account} had {most} runs in flight"


def _blocks(trial: Trial) -> Iterator[str]:
    """After a throttle nothing is called that its limit is about, but what was on its way."""
    runs = {
        heard.created: heard.first.removeprefix("act_") for heard in trial.heard if heard.created
    }
    for refusal in trial.heard:
        limit = _limit_of(refusal, runs)
        if limit is None:
            continue
        owner, is_insights = limit
        early = [
            one
            for one in trial.heard
            if refusal.heard < one.sent
            and refusal.heard_at < one.sent_at < refusal.heard_at + REST_SECONDS
            and (owner == "" or owner == _owner(one, runs))
            and is_insights in (None, one.is_insights)
        ]
        if early:
            gone = early[0].sent_at - refusal.heard_at
            yield f"{refusal.path} was throttled, and {gone:.1f} s later {early[0].path} was called"


#: (code, subcode) → whether the limit is the app's, and whether it is of one use case.
LIMITS: Final[Mapping[tuple[int, int | None], tuple[bool, bool]]] = {
    (4, None): (True, False),
    (4, 1504022): (True, True),
    (32, None): (True, False),
    (341, None): (True, False),
    (17, 2446079): (False, False),
    (613, 1487742): (False, False),
    (613, None): (False, False),
    (80000, 2446079): (False, True),
    (80004, 2446079): (False, True),
}


def _limit_of(heard: Heard, runs: Mapping[str, str]) -> tuple[str, bool | None] | None:
    """Whose limit a refusal means, and which calls: insights, others, or (None) both."""
    key = (heard.error.get("code", 0), heard.error.get("error_subcode"))
    if key not in LIMITS:
        return None
    of_app, of_case = LIMITS[key]
    owner = "" if of_app else _owner(heard, runs)
    return owner, heard.is_insights if of_case else None


def _owner(heard: Heard, runs: Mapping[str, str]) -> str:
    return runs.get(heard.first, heard.first.removeprefix("act_"))


def _counted(trial: Trial) -> Iterator[str]:
    """The calls that the records tell are those that were made, where all was loaded."""
    if set(states(trial).values()) != {EQUAL}:
        return
    told = sum(load.calls for load in trial.loads.values())
    made = len(trial.heard)
    if told != made:
        yield f"records tell {told} calls, {made} were made"


def _met(trial: Trial) -> Iterator[str]:
    """Alone, a scenario strikes, and what must fail does."""
    if len(trial.plan.scenarios) > 1 + len(mays(trial)[0].beside):
        return
    name, may = name_of(trial.plan.scenarios[0]), mays(trial)[0]
    if may.is_met and not trial.calls["faults"].get(name):
        yield f"{name} struck nothing"
    told = states(trial)
    for at, account in enumerate(trial.account_ids):
        ends = {state for one, state in told.items() if one.account_id == account}
        if may.fails and may.is_sure and at in may.accounts and FAILED not in ends:
            yield f"act_{account} did not fail of {name}: {ends}"
    if may.stops and trial.stopped is None:
        yield f"{name} stopped nothing"
    if may.unproven and not {FAILED, UNPROVEN} & set(told.values()):
        yield f"{name} left everything proven"


#: What is looked at.
RULES: Final[Mapping[str, Callable[[Trial], Iterator[str]]]] = {
    "it ends": _ends,
    "never anything between": _between,
    "what stops": _stops,
    "what fails": _fails,
    "what is unproven": _unproven,
    "missing fields": _missing,
    "nothing is left": _left,
    "what failed is listed": _listed,
    "no run twice": _same_runs,
    "runs in flight": _in_flight,
    "calls into blocks": _blocks,
    "calls are counted": _counted,
    "alone it strikes": _met,
}
