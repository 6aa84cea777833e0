"""Scenarios about rows of insights: their numbers, their lists of actions, single values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import action_lists, features, numbers, refusing, spending, values
from fbgraph.sandbox.faults.hooks import Scenario
from fbgraph.sandbox.scenarios.sources import PAGING, PRACTICE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROWS_SCENARIOS"]

ROWS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Numbers and rows
    "restated": Scenario(
        "numbers of the last 28 days differ by a few percent, in the truth too",
        PRACTICE,
        tables=numbers.restate,
    ),
    "restated_days": Scenario(
        "N percent of the account-days of the last 28 days grow a little, in the truth too",
        PRACTICE,
        strength=10,
        tables=numbers.restate_days,
    ),
    "late_numbers": Scenario(
        "the first run that shows a day has less than the truth; later runs and totals have"
        " everything",
        PRACTICE,
        tables=numbers.arrive_late,
    ),
    "settling": Scenario(
        "insights know what was delivered as late as at Meta: at an account's midnight 90 % of its"
        " day is there, an hour later 92 %, then 97 % and 99 %, and after 18 hours all of it",
        "PowerMyAnalytics, help pages; mvasilyevv/facebook-ads-stop-bot",
        shown=spending.settle,
    ),
    "runaway": Scenario(
        "from hour N of an account's clock until the end of that day it spends three times as much,"
        " in the truth too; 12@3 is about the fourth account alone, 2026-11-24T12 about another day"
        " than that on which the scenario was turned on",
        "what buyers want to be told about",
        strength="12",
        reads=spending.read_since,
        delivers=spending.run_away,
    ),
    "stopped": Scenario(
        "the same, but from then on it spends nothing",
        "what buyers want to be told about",
        strength="12",
        reads=spending.read_since,
        delivers=spending.stop,
    ),
    "over_budget": Scenario(
        "the same, but from then on what has a daily budget spends four times as much",
        "what buyers want to be told about",
        strength="0",
        reads=spending.read_since,
        delivers=spending.exceed_budgets,
    ),
    "budget_scheduled": Scenario(
        "the same, but from then on what has a daily budget spends twice as much, because a budget"
        " schedule says so: the edge `budget_schedules` shows it",
        "Ad campaign, Budget schedules",
        strength="18",
        reads=spending.read_since,
        delivers=spending.follow_schedule,
        schedule=spending.schedule,
    ),
    "cap_reset": Scenario(
        "at hour N of an account's clock `amount_spent` begins again from 0; strengths are those of"
        " `runaway`",
        "Ad account reference, spend_cap_action",
        strength="12",
        reads=spending.read_since,
        counter=spending.restart_counter,
    ),
    "wrong_rows": Scenario(
        "lists of ads miss one hour of each account-day; totals include it",
        "the reason for control totals; not seen yet",
        tables=numbers.lose_a_row,
    ),
    "empty_hour": Scenario(
        "for N minutes neither insights nor totals have rows, with HTTP 200",
        "reported by users, 2026",
        strength=60,
        tables=numbers.fall_silent,
    ),
    "rounded_spend": Scenario(
        "spend is rounded in each row, an hour of an ad or its day; an account's own totals are"
        " rounded once",
        "reported by users, 2026",
        tables=numbers.round_rows,
    ),
    "breakdowns_ignored": Scenario(
        "insights are returned as if no breakdown had been requested",
        "reported by users, 2026",
        rows=numbers.ignore_breakdowns,
    ),
    "hour_key_missing": Scenario(
        "the first ad of each account-day has one row without its hour, in the truth too",
        "singer-io/tap-facebook #244; facebook-java-business-sdk #301",
        tables=numbers.lose_hour_key,
    ),
    "elapsed_hours": Scenario(
        "on days when the clock changes, labels count hours since midnight, in the truth too",
        "not documented: the other possibility",
        tables=numbers.count_elapsed_hours,
    ),
    "old_hours_refused": Scenario(
        "hourly insights that begin before the 13 months are refused instead of cut off",
        "not documented: the other possibility",
        insights=refusing.refuse_old_hours,
    ),
    "old_fields_refused": Scenario(
        "insights with this field that begin before the 13 months are refused (100)",
        "not documented: one possibility",
        strength="unique_clicks",
        insights=partial(refusing.refuse_old_fields, "insights_field"),
    ),
    "old_fields_unavailable": Scenario(
        "insights with this field that begin before the 13 months are refused, with another"
        " message",
        "not documented: another possibility",
        strength="unique_clicks",
        insights=partial(refusing.refuse_old_fields, "old_field"),
    ),
    "not_opted_in": Scenario(
        "no account has opted in to a feature: breakdowns that need one have no rows and no error",
        "Out-of-cycle changes 2026",
        features=features.enable_nothing,
    ),
    "opted_in_in_turn": Scenario(
        "of four accounts one has enabled every feature, one since a day, two none, and the last"
        " one's settings are refused (#10)",
        "Feature Settings API",
        strength="2026-11-21",
        features=features.enable_in_turn,
        before=features.forbid_in_turn,
    ),
    "no_feature_settings": Scenario(
        "the path of an account's feature settings does not exist (2500)",
        "Feature Settings API: it is on another host",
        before=features.miss_settings,
    ),
    "rows_in_other_order": Scenario(
        "each time a report is read, its rows have a different order",
        "Insights API reference: no order is promised",
        rows=numbers.shuffle,
    ),
    "rows_twice": Scenario(
        "an active object is also returned as paused, by a query for PAUSED and not ACTIVE",
        PAGING,
        rows=numbers.show_twice,
    ),
    "totals_twice": Scenario(
        "the row of an account's totals is returned twice",
        "of the kind of rows that come twice on pages",
        rows=numbers.repeat_totals,
    ),
    # Lists of actions
    "actions_missing": Scenario(
        "lists of campaigns, ad sets and ads miss one action type; the account's totals have it",
        "airbyte #64554, #68689: purchases gone while spend is right",
        strength="omni_purchase",
        rows=action_lists.lose_action_type,
    ),
    "window_missing": Scenario(
        "lists of campaigns, ad sets and ads miss one window; the account's totals have it",
        "facebook-python-business-sdk #694",
        strength="7d_click",
        rows=action_lists.lose_window,
    ),
    "totals_without_actions": Scenario(
        "an account's totals are refused if they include lists of actions (too_much, no_data,"
        " unknown)",
        "not seen yet: a possible cost of requesting more at once",
        strength="too_much",
        words=action_lists.REFUSALS_OF_LISTS,
        insights=action_lists.refuse_lists,
    ),
    # Values
    "empty_value": Scenario(
        "one in N rows has an entry in actions with an empty text as its value",
        "reported by a user, 2026",
        strength=7,
        rows=values.empty_value,
    ),
    "odd_entry": Scenario(
        "one in N rows has a null among the entries of actions",
        "reported by a user, 2026: its kind",
        strength=7,
        rows=values.odd_entry,
    ),
    "odd_cell": Scenario(
        "one in N rows has n/a in full_view_impressions, which is not compared with totals",
        "reported by a user, 2026: its kind",
        strength=7,
        rows=values.odd_cell,
    ),
    "half_character": Scenario(
        "one in N rows has half a surrogate pair in campaign_name",
        "reported by a user, 2026",
        strength=7,
        rows=values.half_character,
    ),
    "signed_again": Scenario(
        "each time rows by asset are read, their URLs are signed again; the first row is"
        " returned twice",
        "keboola/component-meta",
        rows=values.sign_again,
    ),
}
