"""Scenarios about rows of insights: their numbers, their lists of actions, single values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import action_lists, calls, numbers, values
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import PAGING, PRACTICE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROWS_SCENARIOS"]

ROWS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Numbers and rows
    "restated": Scenario(
        "numbers of the last 28 days differ by a few percent; so does the truth",
        PRACTICE,
        tables=numbers.restate,
    ),
    "restated_days": Scenario(
        "N percent of the account-days of the last 28 days grow a little; so does the truth",
        *(PRACTICE, 10),
        tables=numbers.restate_days,
    ),
    "late_numbers": Scenario(
        "the first run that shows a day has less than the truth, later ones and totals have it all",
        PRACTICE,
        tables=numbers.arrive_late,
    ),
    "wrong_rows": Scenario(
        "lists of ads lack one hour of each account-day; totals keep it",
        "the reason for control totals; seen nowhere",
        tables=numbers.lose_a_row,
    ),
    "empty_hour": Scenario(
        "for N minutes insights and totals alike have no rows, with HTTP 200",
        *("reported by users, 2026", 60),
        tables=numbers.fall_silent,
    ),
    "rounded_spend": Scenario(
        "spend is rounded row by row; an account's own totals are rounded once",
        "reported by users, 2026",
        tables=numbers.round_rows,
    ),
    "breakdowns_ignored": Scenario(
        "insights come as if no breakdown had been asked for",
        "reported by users, 2026",
        rows=numbers.ignore_breakdowns,
    ),
    "hour_key_missing": Scenario(
        "the first ad of each account-day comes as one row without its hour; so in the truth",
        "singer-io/tap-facebook #244; facebook-java-business-sdk #301",
        tables=numbers.lose_hour_key,
    ),
    "elapsed_hours": Scenario(
        "on days when the clock changes labels count hours since midnight; so in the truth",
        "documented nowhere: the other way it could be",
        tables=numbers.count_elapsed_hours,
    ),
    "old_hours_refused": Scenario(
        "hourly insights that begin before the 13 months are refused, not cut off",
        "documented nowhere: the other way it could be",
        ask=calls.refuse_old_hours,
    ),
    "old_fields_refused": Scenario(
        "insights with this field that begin before the 13 months are refused (100)",
        *("documented nowhere: one way it could be", "unique_clicks"),
        ask=partial(calls.refuse_old_fields, "insights_field"),
    ),
    "old_fields_unavailable": Scenario(
        "insights with this field that begin before the 13 months are refused in other words",
        *("documented nowhere: another way it could be", "unique_clicks"),
        ask=partial(calls.refuse_old_fields, "old_field"),
    ),
    "not_opted_in": Scenario(
        "no account has switched on a feature: breakdowns that need one have no rows and no error",
        "Out-of-cycle changes 2026",
        rows=numbers.hide_opt_in,
    ),
    "rows_in_other_order": Scenario(
        "each time a report is read its rows stand in another order",
        "Insights API reference: no order is promised",
        rows=numbers.shuffle,
    ),
    "rows_twice": Scenario(
        "an active object is seen as paused too, by a query that asks for PAUSED and not ACTIVE",
        PAGING,
        rows=numbers.show_twice,
    ),
    "totals_twice": Scenario(
        "the row of an account's totals comes twice",
        "its kind: rows that come twice on pages",
        rows=numbers.repeat_totals,
    ),
    # Lists of actions
    "actions_missing": Scenario(
        "lists of campaigns, ad sets and ads lack one action type; the account's totals have it",
        *("airbyte #64554, #68689: purchases gone while spend is right", "omni_purchase"),
        rows=action_lists.lose_action_type,
    ),
    "window_missing": Scenario(
        "lists of campaigns, ad sets and ads lack one window; the account's totals have it",
        *("facebook-python-business-sdk #694", "7d_click"),
        rows=action_lists.lose_window,
    ),
    "totals_without_actions": Scenario(
        "an account's totals are refused with lists of actions (too_much, no_data, unknown)",
        *("seen nowhere: what asking for more in one call could cost", "too_much"),
        words=action_lists.REFUSALS_OF_LISTS,
        ask=action_lists.refuse_lists,
    ),
    # Values
    "empty_value": Scenario(
        "one in N rows has an entry in actions whose value is an empty text",
        *("reported by a user, 2026", 7),
        rows=values.empty_value,
    ),
    "odd_entry": Scenario(
        "one in N rows has a null among the entries of actions",
        *("reported by a user, 2026: its kind", 7),
        rows=values.odd_entry,
    ),
    "odd_cell": Scenario(
        "one in N rows has n/a for full_view_impressions, which proves nothing",
        *("reported by a user, 2026: its kind", 7),
        rows=values.odd_cell,
    ),
    "half_character": Scenario(
        "one in N rows has half a surrogate pair in campaign_name",
        *("reported by a user, 2026", 7),
        rows=values.half_character,
    ),
    "signed_again": Scenario(
        "each time that rows by asset are read their addresses are signed anew; the first row comes"
        " twice",
        "keboola/component-meta",
        rows=values.sign_again,
    ),
}
