"""The engine against a real sandbox, with a handler and pending runs that live in memory."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from fbgraph.catalog.fields import EFFECTIVE_STATUSES, HOURLY
from fbgraph.errors import BlockedError, RetryableError, TokenError
from fbgraph.reports.engine import Engine
from fbgraph.reports.handler import Checkpoint, Wanted
from fbgraph.reports.task import ReportTask
from fbgraph.sandbox import Sandbox
from tests.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fbgraph.http.paging import Params
    from fbgraph.reports.query import ReportQuery

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAYS = tuple(date(2026, 11, 16) + timedelta(days=n) for n in range(7))
REQUIRED = ("account_id", "ad_id", "impressions", "spend")
FIELDS = (*REQUIRED, "campaign_id", "clicks", "actions", "cpc", "ctr")


class Pages:
    """Rows by shard, as JSON."""

    def __init__(self) -> None:
        self.rows: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.spoil: Callable[[], None] = lambda: None

    def add(self, bodies: Sequence[bytes], *, shard: int) -> None:
        self.spoil()
        for body in bodies:
            self.rows[shard] += json.loads(body)["data"]

    def drop(self, shard: int) -> None:
        self.rows.pop(shard, None)


class MemoryHandler:
    """Results are ``("act_1 …", rows)`` or ``("act_1 …", why it failed)``."""

    def __init__(self) -> None:
        self.pages: dict[ReportTask, Pages] = {}
        self.closed: list[ReportTask] = []
        self.finished: list[ReportTask] = []
        self.spoil: Callable[[], None] = lambda: None
        self.finishing: Callable[[ReportTask], Sequence[ReportTask]] = lambda _: ()

    def params(self, query: ReportQuery) -> Params:
        filtering = [("ad.effective_status", query.statuses), (f"{query.level}.id", query.ids)]
        return {
            "level": "ad",
            "fields": list(query.fields),
            "time_range": {"since": str(query.days[0]), "until": str(query.days[-1])},
            "time_increment": 1,
            "breakdowns": [HOURLY],
            "filtering": [
                {"field": field, "operator": "IN", "value": list(values)}
                for field, values in filtering
                if values
            ],
        }

    def open(self, task: ReportTask) -> Pages:
        self.pages[task] = Pages()
        self.pages[task].spoil = self.spoil
        return self.pages[task]

    def close(self, task: ReportTask) -> None:
        self.closed.append(task)

    def finish(self, task: ReportTask) -> tuple[Sequence[tuple[str, Any]], Sequence[ReportTask]]:
        again = self.finishing(task)
        self.finished.append(task)
        rows = [row for shard in self.pages[task].rows.values() for row in shard]
        return [] if again else [(str(task), rows)], again

    def fail(self, task: ReportTask, why: str) -> Sequence[tuple[str, Any]]:
        return [(str(task), why)]


class MemoryPending:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.known: dict[tuple[str, str], tuple[Checkpoint, float]] = {}
        self.finished: list[tuple[str, Sequence[date]]] = []

    def saved(self, account_id: str, params: Params) -> Checkpoint | None:
        found = self.known.get((account_id, json.dumps(params)))
        if found is None:
            return None
        return Checkpoint(
            found[0].report_run_id, self.clock.seconds() - found[1], found[0].was_split
        )

    def save(self, account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        self.known[account_id, json.dumps(params)] = checkpoint, self.clock.seconds()

    def forget(self, account_id: str, params: Params) -> None:
        self.known.pop((account_id, json.dumps(params)), None)

    def done(self, account_id: str, days: Sequence[date]) -> None:
        self.finished.append((account_id, days))

    def end(self) -> None:
        """It ends with its test."""


def when(row: Mapping[str, Any]) -> str:
    """``2026-11-21 7``, and ``2026-11-21 None`` for a row that came without its hour."""
    hour = int(row[HOURLY][:2]) if HOURLY in row else None
    return f"{row['date_start']} {hour}"


class Bench:
    """A sandbox, a client, and all that an engine works with."""

    def __init__(
        self, stack: ExitStack, scenarios: Sequence[str], options: Mapping[str, Any]
    ) -> None:
        self.clock = Clock()
        self.sandbox = stack.enter_context(Sandbox(scenarios=scenarios, now=self.clock, **options))
        self.client = stack.enter_context(
            GraphClient(
                self.sandbox.token,
                base_url=self.sandbox.url,
                sleep=self.clock.sleep,
                clock=self.clock.seconds,
                jitter=lambda: 0.0,
            )
        )
        self.handler = MemoryHandler()
        self.pending = MemoryPending(self.clock)

    def run(self, *tasks: ReportTask, **settings: Any) -> dict[str, Any]:
        """What became of each task; of two accounts' week without any named."""
        engine = Engine(
            self.client,
            self.handler,
            self.pending,
            replace(Wanted(EFFECTIVE_STATUSES["ad"], FIELDS, REQUIRED), **settings),
        )
        wanted = tasks or [ReportTask(key, DAYS) for key in self.sandbox.account_ids[:2]]
        return dict(engine.run(wanted))

    def truth(self, account_id: str, days: Sequence[date]) -> dict[tuple[str, str], str]:
        return {
            (row["ad_id"], f"{day} {row['hour']}"): row["impressions"]
            for day in days
            for row in self.sandbox.truth(account_id, day)["rows"]
        }

    def loaded(self, found: Mapping[str, Any], account_id: str) -> dict[tuple[str, str], str]:
        """Rows of one account, of all its tasks; a row that came twice is told."""
        rows = [
            row
            for task, rows in found.items()
            if task.startswith(f"act_{account_id} ")
            for row in rows
        ]
        keyed = {(row["ad_id"], when(row)): row["impressions"] for row in rows}
        assert len(keyed) == len(rows)
        return keyed

    def is_true(self, found: Mapping[str, Any]) -> bool:
        """Whether every account's week is exactly what the sandbox delivered."""
        return all(
            self.loaded(found, key) == self.truth(key, DAYS) for key in self.sandbox.account_ids[:2]
        )


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes a `Bench` under scenarios."""
    with ExitStack() as stack:
        yield lambda *scenarios, **options: Bench(stack, scenarios, options)


@pytest.mark.parametrize(
    "scenarios",
    [
        (),
        ("run_fails_once",),
        ("run_fails_silently",),
        ("run_fails_busy",),
        ("run_fails_unknown",),
        ("run_skipped_once",),
        ("run_hangs_once",),
        ("run_stuck_at_100",),
        ("run_vanishes",),
        ("run_unreadable",),
        ("run_never_readable",),
        ("run_id_number",),
        ("run_id_missing",),
        ("fresh_run_unknown",),
        ("odd_polls",),
        ("run_too_long:2",),
        ("run_too_many_statuses:5",),
        ("run_too_many_objects:3", "run_too_many_statuses:2"),
        ("run_dies_of_field:ctr",),
        ("broken_cursor",),
        ("page_too_large",),
        ("limit_too_high:300",),
        ("throttled_account",),
        ("throttled_insights",),
        ("cut_json", "empty_pages", "spurious_summary"),
    ],
    ids="+".join,
)
def test_every_row_comes_whatever_becomes_of_runs_and_pages(
    bench: Callable[..., Bench], scenarios: tuple[str, ...]
) -> None:
    one = bench(*scenarios)

    found = one.run()

    assert one.is_true(found)
    assert set(one.handler.pages) <= set(one.handler.closed)


@pytest.mark.parametrize("beside", [(), ("run_fails_once",), ("run_vanishes",)])
def test_a_field_that_kills_runs_is_found_once_and_left_out_of_all(
    bench: Callable[..., Bench], beside: Sequence[str]
) -> None:
    one = bench("run_dies_of_field:ctr", *beside)

    one.run()

    assert {frozenset(FIELDS) - task.fields for task in one.handler.finished} == {
        frozenset({"ctr"})
    }


def test_a_report_that_fails_with_any_fields_fails_alone(bench: Callable[..., Bench]) -> None:
    one = bench("run_always_fails")
    task = ReportTask(one.sandbox.account_ids[0], DAYS[:1])

    found = one.run(task, statuses=("ACTIVE",))

    assert [type(why) for why in found.values()] == [str]


def test_a_field_that_meta_does_not_know_is_left_out(bench: Callable[..., Bench]) -> None:
    one = bench()

    found = one.run(fields=(*FIELDS, "no_such_field"))

    assert one.is_true(found)
    assert all("no_such_field" not in task.fields for task in one.handler.finished)


def test_a_required_field_that_meta_does_not_know_fails_the_orders(
    bench: Callable[..., Bench],
) -> None:
    one = bench()

    found = one.run(fields=(*FIELDS, "no_such_field"), required=(*REQUIRED, "no_such_field"))

    assert all("no_such_field" in why for why in found.values())


def test_an_account_that_may_not_be_read_is_asked_once_and_fails_alone(
    bench: Callable[..., Bench],
) -> None:
    one = bench("forbidden_account")
    good, bad = one.sandbox.account_ids[:2]
    tasks = [ReportTask(key, (day,)) for key in (good, bad) for day in DAYS]

    found = one.run(*tasks)

    failed = {task for task, what in found.items() if isinstance(what, str)}
    creations = [c for c in one.sandbox.calls()["calls"] if c["method"] == "POST"]
    assert failed == {f"act_{bad} {day}" for day in DAYS}
    assert one.loaded({k: v for k, v in found.items() if k not in failed}, good) == one.truth(
        good, DAYS
    )
    assert sum(c["count"] for c in creations if c["path"].endswith("insights")) <= 7 + 3


def test_runs_that_always_fail_cost_dozens_and_not_hundreds(bench: Callable[..., Bench]) -> None:
    one = bench("run_always_fails")
    account_id = one.sandbox.account_ids[0]

    found = one.run(ReportTask(account_id, DAYS))

    runs = one.sandbox.calls()["runs"]
    assert set(found) == {f"act_{account_id} {day}" for day in DAYS}
    assert all("2490547" in why for why in found.values())
    assert len(runs) < 60
    assert one.sandbox.calls()["most_runs_in_flight"] == {account_id: 1}


def test_days_that_fail_at_every_size_keep_no_other_from_being_loaded(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_dies_of_field")
    account_id = one.sandbox.account_ids[0]
    good = one.handler.params

    def params(query: ReportQuery) -> Params:
        """The newest three days die of what no search of the fields that are asked for finds."""
        is_bad = query.days[-1] in DAYS[-3:]
        return {**good(query), "fields": [*query.fields, *["inline_link_clicks"] * is_bad]}

    one.handler.params = params  # type: ignore[method-assign]  # some days that fail are the story

    found = one.run(ReportTask(account_id, DAYS))

    failed = {task for task, what in found.items() if isinstance(what, str)}
    loaded = {task: what for task, what in found.items() if task not in failed}
    assert failed == {f"act_{account_id} {day}" for day in DAYS[-3:]}
    assert one.loaded(loaded, account_id) == one.truth(account_id, DAYS[:-3])


@pytest.mark.parametrize("scenario", ["endless_pages", "repeated_cursor"])
def test_a_listing_that_does_not_advance_fails_by_the_day_and_costs_no_thousands_of_calls(
    bench: Callable[..., Bench], scenario: str
) -> None:
    one = bench(scenario, "limit_too_high:10")  # without pages there is nothing to be stuck in
    account_id = one.sandbox.account_ids[0]

    found = one.run(ReportTask(account_id, DAYS[:2]))

    assert set(found) == {f"act_{account_id} {day}" for day in DAYS[:2]}
    assert ["empty pages" in why or "repeats the cursor" in why for why in found.values()] == [
        True,
        True,
    ]
    assert one.sandbox.calls()["total"] < 2 * 3 * 51 + 70


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("expired_token", TokenError),
        ("blocked", BlockedError),
        *((f"token_dies:{n}", TokenError) for n in range(3, 9)),
    ],
)
def test_what_ends_everything_ends_it(
    bench: Callable[..., Bench], scenario: str, kind: type[Exception]
) -> None:
    one = bench(scenario)

    with pytest.raises(kind):
        one.run()


def test_a_run_that_an_earlier_process_has_in_flight_is_picked_up(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    account_id = one.sandbox.account_ids[0]
    one.run(ReportTask(account_id, DAYS))
    [first] = one.handler.finished
    [run_id] = first.report_run_ids
    one.pending.save(account_id, one.handler.params(first.shards[0].query), Checkpoint(run_id))

    found = one.run(ReportTask(account_id, DAYS))

    assert one.handler.finished[1].report_run_ids == [run_id]
    assert one.loaded(found, account_id) == one.truth(account_id, DAYS)


def test_an_order_that_wants_fresh_numbers_picks_nothing_up(bench: Callable[..., Bench]) -> None:
    one = bench()
    account_id = one.sandbox.account_ids[0]
    for _ in range(2):
        one.run(ReportTask(account_id, DAYS, is_fresh=True))

    first, second = (task.report_run_ids for task in one.handler.finished)
    assert first != second


def test_what_an_earlier_process_had_to_split_is_split_at_once(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_long:2")
    one.run()
    before = len(one.sandbox.calls()["runs"])

    found = one.run()

    assert one.is_true(found)
    assert len(one.sandbox.calls()["runs"]) == before  # each of them was there already


def test_a_page_that_the_work_cannot_take_is_read_again(bench: Callable[..., Bench]) -> None:
    one = bench()
    bad = iter([RetryableError("no page"), RetryableError("no page")])

    def spoil() -> None:
        if error := next(bad, None):
            raise error

    one.handler.spoil = spoil

    assert one.is_true(one.run())


def test_pages_that_are_never_good_fail_the_order(bench: Callable[..., Bench]) -> None:
    one = bench()

    def spoil() -> None:
        raise RetryableError("no page at all")

    one.handler.spoil = spoil

    found = one.run(ReportTask(one.sandbox.account_ids[0], DAYS[:1]))

    assert list(found.values()) == ["no page at all"]


def test_work_that_lacks_an_answer_is_finished_later_and_no_page_is_read_twice(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    lacks = [RetryableError("HTML")] * 3

    def finishing(_: ReportTask) -> Sequence[ReportTask]:
        if lacks:
            raise lacks.pop()
        return ()

    one.handler.finishing = finishing

    assert one.is_true(one.run())
    assert len(one.sandbox.calls()["runs"]) == 2


def test_work_that_fails_fails_its_order_and_no_other(bench: Callable[..., Bench]) -> None:
    one = bench()
    full = one.sandbox.account_ids[0]

    def finishing(task: ReportTask) -> Sequence[ReportTask]:
        if task.account_id == full:
            raise OSError(28, "No space left on device")
        return ()

    one.handler.finishing = finishing

    found = one.run()

    assert [why for why in found.values() if isinstance(why, str)] == [
        "[Errno 28] No space left on device"
    ]
    assert len(found) == 2


def test_a_fault_of_our_own_is_not_hidden(bench: Callable[..., Bench]) -> None:
    one = bench()

    def finishing(_: ReportTask) -> Sequence[ReportTask]:
        raise ZeroDivisionError

    one.handler.finishing = finishing

    with pytest.raises(ZeroDivisionError):
        one.run()


def test_what_is_wanted_again_is_asked_for_again(bench: Callable[..., Bench]) -> None:
    one = bench()

    def finishing(task: ReportTask) -> Sequence[ReportTask]:
        return () if task.is_fresh else [ReportTask(task.account_id, task.days, is_fresh=True)]

    one.handler.finishing = finishing

    found = one.run()

    assert one.is_true(found)
    assert [task.is_fresh for task in one.handler.finished].count(True) == 2
    assert len(one.pending.finished) == 2  # only what is finished for good is forgotten


def test_the_newest_days_come_first_and_no_account_waits_for_another(
    bench: Callable[..., Bench],
) -> None:
    one = bench(run_polls=1)
    tasks = [ReportTask(key, (day,)) for key in one.sandbox.account_ids[:3] for day in DAYS]
    created: list[tuple[str, date]] = []
    save = one.pending.save

    def note(account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        created.append((account_id, date.fromisoformat(params["time_range"]["since"])))
        save(account_id, params, checkpoint)

    one.pending.save = note  # type: ignore[method-assign]  # to see the task

    one.run(*tasks)

    for key in one.sandbox.account_ids[:3]:
        days = [day for account_id, day in created if account_id == key]
        # Some are created side by side, and the last of them may be the first that is noted.
        assert all(
            day >= newest - timedelta(days=2) for day, newest in zip(days, DAYS[::-1], strict=True)
        )
    assert {account_id for account_id, _ in created[:9]} == set(one.sandbox.account_ids[:3])


#: The first day that the sandbox keeps at NOW, 37 months earlier, and of hours, 13 months.
FIRST_KEPT = date(2023, 10, 23)
FIRST_HOURS = date(2025, 10, 23)
OLD_BEFORE = date(2026, 5, 1)


def days_around(day: date, before: int, after: int) -> tuple[date, ...]:
    return tuple(day + timedelta(days=n) for n in range(-before, after))


def creations(one: Bench) -> int:
    """Report runs that were asked for, refused ones included."""
    calls = one.sandbox.calls()["calls"]
    return sum(
        call["count"]
        for call in calls
        if call["method"] == "POST" and call["path"].endswith("insights")
    )


def days_of(found: Mapping[str, Any], *, failed: bool) -> list[str]:
    """Days of results that failed, or did not."""
    return sorted(
        str(date.fromisoformat(first) + timedelta(days=n))
        for task, what in found.items()
        if isinstance(what, str) == failed
        for first, last in [(task.split()[1], task.split()[-1])]
        for n in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)
    )


@pytest.mark.parametrize(("before", "after"), [(3, 5), (1, 30), (30, 1), (15, 16), (1, 1)])
def test_days_older_than_meta_keeps_fail_by_name_and_the_others_load(
    bench: Callable[..., Bench], before: int, after: int
) -> None:
    one = bench()
    days = days_around(FIRST_KEPT, before, after)

    found = one.run(ReportTask(one.sandbox.account_ids[0], days))

    assert days_of(found, failed=True) == [str(day) for day in days[:before]]
    assert days_of(found, failed=False) == [str(day) for day in days[before:]]
    assert all(
        why.startswith("Older than Meta keeps: (#3018)")
        for why in found.values()
        if isinstance(why, str)
    )
    assert creations(one) <= 2 * 5 + 2  # 2 log2(31) and a few


def test_many_orders_that_are_too_old_cost_no_call_each(bench: Callable[..., Bench]) -> None:
    one = bench()
    first, second = one.sandbox.account_ids[:2]
    days = days_around(FIRST_KEPT, 300, 0)
    weeks = [days[n : n + 20] for n in range(0, 300, 20)]

    found = one.run(*(ReportTask(key, week) for key in (first, second) for week in weeks))

    assert len(days_of(found, failed=True)) == 600
    assert creations(one) <= 2 * 7


def test_a_refusal_whose_reason_is_not_known_is_tried_on_younger_days(
    bench: Callable[..., Bench],
) -> None:
    one = bench("old_hours_refused")
    account_id = one.sandbox.account_ids[0]
    days = days_around(FIRST_HOURS, 10, 8)

    found = one.run(ReportTask(account_id, days), old_before=OLD_BEFORE)

    loaded = {task: rows for task, rows in found.items() if not isinstance(rows, str)}
    assert days_of(found, failed=True) == [str(day) for day in days[:10]]
    assert one.loaded(loaded, account_id) == one.truth(account_id, days[10:])
    assert all(
        why.startswith("Meta refuses days up to 2025-10-2")
        for why in found.values()
        if isinstance(why, str)
    )
    assert creations(one) <= 2 * 5 + 2


def test_young_days_whose_request_is_refused_are_not_torn_up(bench: Callable[..., Bench]) -> None:
    one = bench("old_hours_refused")
    days = days_around(FIRST_HOURS, 5, 5)

    found = one.run(ReportTask(one.sandbox.account_ids[0], days))

    assert len(days_of(found, failed=True)) == 10
    assert creations(one) == 1


@pytest.mark.parametrize("words", ["old_fields_refused:ctr", "old_fields_unavailable:ctr"])
def test_a_field_that_is_refused_for_old_days_is_left_out_for_those_alone(
    bench: Callable[..., Bench], words: str
) -> None:
    one = bench(words)
    account_id = one.sandbox.account_ids[0]
    days = days_around(FIRST_HOURS, 9, 9)

    found = one.run(ReportTask(account_id, days), old_before=OLD_BEFORE)

    without = {
        day for task in one.handler.finished if "ctr" not in task.fields for day in task.days
    }
    with_it = {day for task in one.handler.finished if "ctr" in task.fields for day in task.days}
    assert days_of(found, failed=True) == []
    assert (without, with_it) == ({*days[:9]}, {*days[9:]})
    assert creations(one) <= 2 * 5 + 2


def test_a_required_field_that_is_refused_for_old_days_fails_those_alone(
    bench: Callable[..., Bench],
) -> None:
    one = bench("old_fields_refused:ctr")
    days = days_around(FIRST_HOURS, 2, 2)

    found = one.run(
        ReportTask(one.sandbox.account_ids[0], days),
        required=(*REQUIRED, "ctr"),
        old_before=OLD_BEFORE,
    )

    assert days_of(found, failed=True) == [str(day) for day in days[:2]]
    assert days_of(found, failed=False) == [str(day) for day in days[2:]]


def test_a_field_that_meta_never_knew_is_left_out_of_old_days_too(
    bench: Callable[..., Bench],
) -> None:
    one = bench()
    days = days_around(FIRST_HOURS, 0, 16)
    tasks = [ReportTask(one.sandbox.account_ids[0], days[n : n + 4]) for n in range(0, 16, 4)]

    found = one.run(*tasks, fields=(*FIELDS, "no_such_field"), old_before=OLD_BEFORE)

    assert days_of(found, failed=False) == [str(day) for day in days]
    assert all("no_such_field" not in task.fields for task in one.handler.finished)
    assert creations(one) <= 4 + 2 * 2 + 2


def test_a_shard_that_cannot_be_loaded_fails_its_task_once_and_ends_what_is_under_way_for_it(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_many_statuses:1", "run_dies_of_field", run_seconds=60.0)
    account_id = one.sandbox.account_ids[0]
    good, fail, told = one.handler.params, one.handler.fail, []

    def params(query: ReportQuery) -> Params:
        """On the newest day what is paused dies of a field that no search finds."""
        is_bad = query.days[-1] == DAYS[-1] and query.statuses == ("PAUSED",)
        return {**good(query), "fields": [*query.fields, *["inline_link_clicks"] * is_bad]}

    def failing(task: ReportTask, why: str) -> Sequence[tuple[str, Any]]:
        told.append((str(task), "1504044" in why))
        return fail(task, why)

    one.handler.params = params  # type: ignore[method-assign]  # one shard that fails is the story
    one.handler.fail = failing  # type: ignore[method-assign]  # to see how often it is told

    found = one.run(*(ReportTask(account_id, (day,)) for day in DAYS[-2:]))

    bad, well = f"act_{account_id} {DAYS[-1]}", f"act_{account_id} {DAYS[-2]}"
    assert told == [(bad, True)]
    assert [str(task) for task in one.handler.finished] == [well]
    assert sorted(map(str, one.handler.closed)) == sorted([bad, well])
    assert one.loaded({well: found[well]}, account_id) == one.truth(account_id, DAYS[-2:-1])


def test_what_is_active_is_asked_for_first_of_a_day_that_was_split(
    bench: Callable[..., Bench],
) -> None:
    one = bench("run_too_many_statuses:1")
    created: list[Sequence[str]] = []
    save = one.pending.save

    def note(account_id: str, params: Params, checkpoint: Checkpoint) -> None:
        if checkpoint.report_run_id:
            created.append(params["filtering"][0]["value"])
        save(account_id, params, checkpoint)

    one.pending.save = note  # type: ignore[method-assign]  # to see the order

    one.run(ReportTask(one.sandbox.account_ids[0], DAYS[:1]))

    alone = [statuses for statuses in created if len(statuses) == 1]
    assert alone[0] == [EFFECTIVE_STATUSES["ad"][0]]
    assert sorted(map(str, alone)) == sorted(f"['{one}']" for one in EFFECTIVE_STATUSES["ad"])
