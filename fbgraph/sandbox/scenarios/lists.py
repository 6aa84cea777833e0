"""Scenarios about lists: how pages continue, and how much may be requested at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import bodies, refusing, responses, runs
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import CODES, PAGING, PRACTICE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LISTS_SCENARIOS"]

LISTS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Lists
    "short_pages": Scenario(
        "pages hold half of the requested rows, with `next`", PAGING, cut=runs.shorten
    ),
    "empty_pages": Scenario(
        "short pages, and empty pages in the middle of lists, with `next`",
        f"{PAGING}; facebook-php-business-sdk #333",
        cut=runs.thin_out,
    ),
    "endless_pages": Scenario(
        "after its first page a list has empty pages without end",
        "restfb #916; PostHog #73783",
        cut=runs.endless,
    ),
    "repeated_rows": Scenario(
        "after its first page a list has the same page without end, each time with another cursor",
        "restfb #916; PostHog #73783",
        cut=runs.repeat_rows,
    ),
    "paged_by_time": Scenario(
        "lists go on by since and until, without cursors",
        f"{PAGING}; public bodies of Page insights",
        after=bodies.page_by_time,
    ),
    "repeated_cursor": Scenario(
        "pages after the first offer the cursor that they were requested with",
        "restfb #916; PostHog #73783",
        cut=runs.repeat,
    ),
    "broken_cursor": Scenario(
        "the first cursor of every list fails once with 2642",
        "facebook-java-business-sdk #292",
        before=refusing.break_cursor,
    ),
    "no_total_count": Scenario(
        "edges have no summary", "facebook-python-business-sdk #103", total=lambda _, __: None
    ),
    "wrong_total_count": Scenario(
        "total_count is N too high", PAGING, strength=1, total=lambda fault, n: n + fault.number
    ),
    # Too much at once
    "limit_too_high": Scenario(
        "a limit above N: HTTP 500, code 1, reduce the amount of data",
        "facebook-php-business-sdk #441; facebook-python-business-sdk #474",
        strength=100,
        before=refusing.refuse_high_limit,
    ),
    "page_too_large": Scenario(
        "a page of more than N bytes: the same error, so that halving the limit helps",
        "airbyte #25383",
        strength=60_000,
        after=responses.shrink_pages,
    ),
    "too_much_data": Scenario(
        "insights of more than N days, with or without a run: 100/1487534",
        PRACTICE,
        strength=2,
        insights=refusing.refuse_long_ranges,
    ),
    "sync_times_out": Scenario(
        "insights of more than N rows without a run: in turn 100/1504018, 2/1504038, 2/1504018",
        CODES,
        strength=500,
        insights=refusing.time_out,
    ),
    "run_too_long": Scenario(
        "a run of more than N days fails with -3/1504045",
        CODES,
        strength=1,
        poll=runs.too_large("days"),
    ),
    "run_too_many_rows": Scenario(
        "a run of more than N rows fails with -3/1504045; rows that are left out later count too",
        CODES,
        strength=800,
        poll=runs.too_large("rows"),
    ),
    "run_too_many_objects": Scenario(
        "a run about more than N objects fails with -3/1504045",
        CODES,
        strength=8,
        poll=runs.too_large("objects"),
    ),
    "run_too_many_statuses": Scenario(
        "a run that filters on more than N statuses fails with -3/1504045",
        CODES,
        strength=4,
        poll=runs.too_large("statuses"),
    ),
    "run_dies_of_field": Scenario(
        "a run with this field fails with 2/1504044",
        f"{CODES}; seen in public logs of 2026",
        strength="inline_link_clicks",
        poll=runs.die_of_field,
    ),
}
