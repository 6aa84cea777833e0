"""The loader and pages that are wrong: a cell costs itself, a row itself, a day itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fbgraph import GraphClient
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import HOURLY_REPORT
from tests.clock import Clock
from tests.pipelines.loading.tampering import CONTROL_PAGES, REPORT_PAGES, RefusingOnce, Tampering
from warehouse.decode.pages import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    import httpx

    from fbgraph.sandbox import Sandbox
    from pipelines.loading.load_result import Outcome
    from warehouse.lake.partitions import Lake

    Load = Callable[..., Sequence[Outcome]]
    Rows = Callable[[str, date], list[tuple[Any, ...]]]


def _load_tampered(
    sandbox: Sandbox, lake: Lake, cells: Sequence[AccountDay], transport: httpx.BaseTransport
) -> Sequence[Outcome]:
    accounts = {cell.account_id: Account(cell.account_id, "Europe/Berlin", "EUR") for cell in cells}
    clock = Clock()
    with GraphClient(
        sandbox.token,
        base_url=sandbox.url,
        sleep=clock.sleep,
        clock=clock.seconds,
        transport=transport,
    ) as client:
        return list(Loader(client, lake, accounts, "run-2").load(HOURLY_REPORT, cells))


def _spoil_first(count: int) -> Callable[[list[dict[str, Any]]], None]:
    def spoil(rows: list[dict[str, Any]]) -> None:
        for row in rows[:count]:
            row["impressions"] = "12a"

    return spoil


def test_a_row_that_cannot_be_read_is_kept_as_a_reject_and_its_neighbours_load(
    sandbox: Sandbox, lake: Lake, days: Sequence[date], lake_rows: Rows, truth_rows: Rows
) -> None:
    cell = AccountDay(sandbox.account_ids[0], days[0])

    [outcome] = _load_tampered(sandbox, lake, [cell], Tampering(REPORT_PAGES, _spoil_first(1)))

    assert outcome.load
    assert (outcome.load.rejected, outcome.load.verdict) == (1, "unproven")
    assert "1 row could not be read" in outcome.load.reason
    assert set(lake_rows(*cell)) < set(truth_rows(*cell))
    assert len(lake_rows(*cell)) == len(truth_rows(*cell)) - 1


def test_keys_that_nobody_asked_for_are_told_once_a_load_by_their_names(
    sandbox: Sandbox, lake: Lake, days: Sequence[date], caplog: pytest.LogCaptureFixture
) -> None:
    cells = [AccountDay(account_id, day) for account_id in sandbox.account_ids for day in days]

    def add_keys(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row["wish_bid"] = "1"
            for entry in row.get("actions", ()):
                entry["1d_view"] = "1"

    outcomes = _load_tampered(sandbox, lake, cells, Tampering(REPORT_PAGES, add_keys))

    told = [message for message in caplog.messages if "not requested" in message]
    assert all(outcome.load and outcome.load.proven for outcome in outcomes)
    assert len(told) == 1
    assert told[0].endswith(
        "ignored fields that were not requested: ['actions.1d_view', 'wish_bid']"
    )


@pytest.mark.parametrize("pages", [REPORT_PAGES, CONTROL_PAGES])
def test_rows_whose_cursor_is_refused_are_read_from_the_first_page_again(
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    lake_rows: Rows,
    truth_rows: Rows,
    pages: str,
) -> None:
    cell = AccountDay(sandbox.account_ids[0], days[0])

    [outcome] = _load_tampered(sandbox, lake, [cell], RefusingOnce(pages))

    assert outcome.load
    assert outcome.load.verdict == "proven"
    assert lake_rows(*cell) == truth_rows(*cell)


def test_too_many_unreadable_rows_fail_the_account_day_and_keep_the_old_one(
    sandbox: Sandbox, load: Load, lake: Lake, days: Sequence[date], lake_rows: Rows
) -> None:
    cell = AccountDay(sandbox.account_ids[0], days[0])
    load([cell.day], [cell.account_id])
    before = lake_rows(*cell)

    [outcome] = _load_tampered(sandbox, lake, [cell], Tampering(REPORT_PAGES, _spoil_first(20)))

    assert outcome.load is None
    assert 'page 1 row 1: impressions "12a"' in outcome.error
    assert lake_rows(*cell) == before


def test_control_totals_of_one_day_that_cannot_be_read_fail_that_day_alone(
    sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    cells = [AccountDay(sandbox.account_ids[0], day) for day in days]

    def spoil(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["date_start"] == str(days[1]):
                row["clicks"] = "many"

    outcomes = _load_tampered(sandbox, lake, cells, Tampering(CONTROL_PAGES, spoil))

    assert {o.account_day.day: bool(o.load) for o in outcomes} == {
        days[0]: True,
        days[1]: False,
        days[2]: True,
    }
    assert 'clicks "many"' in next(o.error for o in outcomes if o.error)
