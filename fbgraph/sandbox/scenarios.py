"""Faults by name: one line each. Their functions are in `faults_calls`, `faults_answers`,
`faults_runs`, `faults_numbers`, `faults_lists`, `faults_values` and `faults_objects`, by the hook
where they take hold (see `hooks`).

They combine: every hook hands on what the scenario named before has made of it. All are
deterministic: they go by the number of the call, by what has been asked before, or by dice thrown
from stable facts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox import faults_answers as answers
from fbgraph.sandbox import faults_calls as calls
from fbgraph.sandbox import faults_lists as lists
from fbgraph.sandbox import faults_numbers as numbers
from fbgraph.sandbox import faults_objects as objects
from fbgraph.sandbox import faults_runs as runs
from fbgraph.sandbox import faults_values as values
from fbgraph.sandbox.hooks import Scenario
from fbgraph.sandbox.quota import QUOTAS, tight
from fbgraph.sandbox.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCENARIOS"]

# Where anybody can read of it. A name with # is an issue of Meta's SDKs or of a public connector.
HANDLING = "Graph API, Handle errors"
LIMITS = "Graph API, Rate limiting; Marketing API, Rate limiting"
PAGING = "Graph API, Paginated results"
CODES = "Insights API, Error codes"
PRACTICE = "Insights API, Best practices"
BATCH = "Graph API, Batch requests"
VERSIONS = "Graph API, Versioning"
READ_TOO_EARLY = "facebook-python-business-sdk #293, #405"
TRANSIENT = "airbyte-source-facebook-marketing"

#: Throttle → one in how many of the calls that its limit is about, and what they are told.
THROTTLES: Final[Mapping[str, tuple[int, str]]] = {
    "throttled": (9, "80000/2446079 with minutes to wait, for an account"),
    "throttled_management": (9, "80004/2446079 with minutes to wait, for an account's objects"),
    "throttled_account": (9, "17/2446079 with seconds to wait, for an account"),
    "throttled_account_613": (9, "613/1487742 with seconds to wait, for an account"),
    "throttled_app": (11, "4 for the whole app"),
    "throttled_insights": (9, "4/1504022 for all insights of the app"),
    "throttled_page": (11, "32 with HTTP 403"),
    "throttled_custom": (11, "613 without a subcode"),
}

SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Tokens
    "expired_token": Scenario("every call answers 190/463", "2.12", HANDLING, before=calls.expire),
    "token_dies": Scenario(
        "the token is good for N calls, then expired (190/463)",
        *("2.12", HANDLING, 40),
        before=calls.die_later,
    ),
    "password_changed": Scenario(
        "every call answers 190/460", "2.12", HANDLING, before=calls.refuse("token_revoked")
    ),
    "app_not_installed": Scenario(
        "every call answers 190/458", "2.12", HANDLING, before=calls.refuse("app_not_installed")
    ),
    "session_invalid": Scenario(
        "every call answers 102", "2.12", HANDLING, before=calls.refuse("session_invalid")
    ),
    "blocked": Scenario(
        "every call answers 368: blocked for a violation of policy",
        *("7.3", HANDLING),
        before=calls.refuse("blocked"),
    ),
    # Accounts
    "forbidden_account": Scenario(
        "the second account is listed but refuses everything with 200",
        *("2.12", "airbyte #26679"),
        before=calls.refuse_account(calls.FORBIDDEN, "account_forbidden"),
    ),
    "forbidden_app": Scenario(
        "the second account is listed but refuses everything with 10",
        *("2.12", HANDLING),
        before=calls.refuse_account(calls.FORBIDDEN, "no_permission"),
    ),
    "forbidden_insights": Scenario(
        "the second account refuses its insights with 100/3191001",
        *("2.12", CODES),
        before=calls.refuse_insights,
    ),
    "gone_account": Scenario(
        "the third account is listed but answers 100/33 to everything",
        *("2.12", HANDLING),
        before=calls.refuse_account(calls.GONE, "unknown_object"),
    ),
    "lost_account": Scenario(
        "the fourth account may be read for N calls, then refuses everything with 200",
        *("2.12", "airbyte #26679", 8),
        before=calls.lose_account,
    ),
    # Versions
    "expired_version": Scenario(
        "every version is expired (2635)", "1.9", VERSIONS, before=calls.expire_version
    ),
    "upgraded_version": Scenario(
        "a newer version answers, with a warning header and in `next`",
        *("1.8", VERSIONS),
        version=calls.upgrade,
    ),
    "other_version": Scenario(
        "an older version answers, with no warning, in its header and in `next`",
        *("1.10", "seen in public logs of 2026"),
        version=calls.other_version,
    ),
    **{
        name: Scenario(f"one in N calls: {what}", "7.3", LIMITS, n, before=calls.throttle(name))
        for name, (n, what) in THROTTLES.items()
    },
    "throttled_application": Scenario(
        "one in N calls: 341 for the whole app",
        *("7.3", HANDLING, 11),
        before=calls.throttle("throttled_application"),
    ),
    "throttled_metrics": Scenario(
        "one in N calls: 613 about custom metrics, where a report run is created",
        *("6.18", "seen in public logs of 2026", 4),
        before=calls.throttle("throttled_metrics"),
    ),
    # Quotas that count and block
    "quota_full": Scenario(
        "the quotas of full access", "7.2", LIMITS, quota=lambda _: QUOTAS["full"]
    ),
    "quota_limited": Scenario(
        "the quotas of limited access", "7.2", LIMITS, quota=lambda _: QUOTAS["limited"]
    ),
    "quota_tight": Scenario(
        "an account's score of N points, and hourly quotas of 5 N to 30 N calls",
        *("7.2", LIMITS, 60),
        quota=tight,
    ),
    # Luck
    "flaky": Scenario(
        "one in N answers: in turn HTML 502, empty 500, text 200, cut JSON, code 2",
        *("8.1", "facebook-python-business-sdk #145, #414", 5),
        after=answers.break_answer,
    ),
    "html": Scenario(
        "one in N answers: HTML, in turn with HTTP 502, 500, 503 and 504",
        *("8.1", "facebook-business 26.0.3, FacebookResponse.is_success", 6),
        after=answers.html,
    ),
    "empty_500": Scenario(
        "one in N answers: HTTP 500 with no body",
        *("8.1", "facebook-python-business-sdk #414", 6),
        after=answers.one_in(answers.empty_500),
    ),
    "service_unavailable": Scenario(
        "one in N answers: HTTP 200 with the text Service Unavailable",
        *("8.1", "facebook-python-business-sdk #145", 6),
        after=answers.one_in(answers.service_unavailable),
    ),
    "cut_json": Scenario(
        "one in N answers: JSON that ends too early, in a whole answer",
        *("8.1", TRANSIENT, 6),
        after=answers.one_in(answers.cut_json),
    ),
    "reset": Scenario(
        "one in N answers: the connection ends in the middle of a body",
        *("8.1", TRANSIENT, 6),
        after=answers.one_in(answers.reset),
    ),
    "slow": Scenario("every answer comes N ms late", "12", TRANSIENT, 10, after=answers.slow),
    "unavailable": Scenario(
        "one in N calls: code 2, is_transient, in turn with HTTP 503, 500 and 400",
        *("8.3", TRANSIENT, 6),
        before=calls.unavailable,
    ),
    "intermittent": Scenario(
        "one in N calls: 2/1504043, is_transient",
        *("8.3", CODES, 6),
        before=calls.now_and_then("intermittent"),
    ),
    "unknown_error": Scenario(
        "one in N calls: 1/99 with HTTP 500",
        *("8.3", "airbyte #25383", 6),
        before=calls.now_and_then("unknown"),
    ),
    "odd_errors": Scenario(
        "one in N calls: code 2; and every error has another shape: error_data as an object, as"
        " text, as null text, with blame_field; `error` a plain text; no type and trace; a title in"
        " Spanish",
        *("8.1", "facebook-python-business-sdk #272, #563, #573; facebook-php-business-sdk #237"),
        strength=6,
        before=calls.now_and_then("unavailable"),
        after=answers.odd_errors,
    ),
    "always": Scenario(
        "every call answers this line of the table of errors (`refusals`)",
        *("8.3", HANDLING, "unknown", REFUSALS),
        before=calls.always,
    ),
    # Lists
    "short_pages": Scenario(
        "pages hold half of what was asked for, with next", "3.4.3", PAGING, cut=runs.shorten
    ),
    "empty_pages": Scenario(
        "short pages and empty pages in the middle of lists, with next",
        *("3.4.3", f"{PAGING}; facebook-php-business-sdk #333"),
        cut=runs.thin_out,
    ),
    "endless_pages": Scenario(
        "after its first page a list has empty pages without end",
        *("3.4.13", "restfb #916; PostHog #73783"),
        cut=runs.endless,
    ),
    "repeated_cursor": Scenario(
        "pages after the first offer the cursor they were asked with",
        *("3.4.13", "restfb #916; PostHog #73783"),
        cut=runs.repeat,
    ),
    "broken_cursor": Scenario(
        "2642 to the first cursor of every list, once",
        *("3.4.6", "facebook-java-business-sdk #292"),
        before=calls.break_cursor,
    ),
    "no_total_count": Scenario(
        "the summary of edges is missing",
        *("3.5.4", "facebook-python-business-sdk #103"),
        total=lambda _, __: None,
    ),
    "wrong_total_count": Scenario(
        "total_count is N too high", "3.5.5", PAGING, 1, total=lambda fault, n: n + fault.number
    ),
    # Too much at once
    "limit_too_high": Scenario(
        "a limit above N: HTTP 500, code 1, reduce the amount of data",
        *("3.4.2", "facebook-php-business-sdk #441; facebook-python-business-sdk #474", 100),
        before=calls.refuse_high_limit,
    ),
    "page_too_large": Scenario(
        "a page of more than N bytes: the same, so that halving the limit helps",
        *("3.4.2", "airbyte #25383", 60_000),
        after=answers.shrink_pages,
    ),
    "too_much_data": Scenario(
        "insights over more than N days, run or not: 100/1487534",
        *("8.3", PRACTICE, 2),
        ask=calls.refuse_long_ranges,
    ),
    "sync_times_out": Scenario(
        "insights of more than N rows without a run: in turn 100/1504018, 2/1504038, 2/1504018",
        *("8.3", CODES, 500),
        ask=calls.time_out,
    ),
    "run_too_long": Scenario(
        "a run over more than N days fails with -3/1504045",
        *("6.17", CODES, 1),
        poll=runs.too_large("days"),
    ),
    "run_too_many_rows": Scenario(
        "a run of more than N rows fails with -3/1504045; counted before any is left out",
        *("6.17", CODES, 800),
        poll=runs.too_large("rows"),
    ),
    "run_too_many_objects": Scenario(
        "a run about more than N objects fails with -3/1504045",
        *("6.17", CODES, 8),
        poll=runs.too_large("objects"),
    ),
    "run_too_many_statuses": Scenario(
        "a run that asks for more than N statuses fails with -3/1504045",
        *("6.17", CODES, 4),
        poll=runs.too_large("statuses"),
    ),
    "run_dies_of_field": Scenario(
        "a run with this field fails with 2/1504044",
        *("5.3", f"{CODES}; seen in public logs of 2026", "inline_link_clicks"),
        poll=runs.die_of_field,
    ),
    # Report runs
    "fresh_run_unknown": Scenario(
        "the first N polls of a run answer 100/33",
        *("6.11", "singer-io/tap-facebook #174", 1),
        poll=runs.not_yet_known,
    ),
    "run_stuck_at_100": Scenario(
        "a run says Job Running at 100 % for N polls",
        *("6.7", "facebook-python-business-sdk #293", 3),
        poll=runs.stick,
    ),
    "run_hangs_once": Scenario(
        "the first run of a query stays at N % for ever",
        *("6.14", "artefactory-connectors-kit #63", 0),
        poll=runs.hang_once,
    ),
    "run_hangs": Scenario(
        "every run stays at N % for ever",
        *("6.14", "artefactory-connectors-kit #63", 100),
        poll=runs.hang,
    ),
    "run_fails_once": Scenario(
        "the first run of a query fails with -2/2490547",
        *("6.8", CODES),
        poll=runs.fail_once("failed"),
    ),
    "run_fails_unknown": Scenario(
        "the first run of a query fails with 2/1504044",
        *("6.8", CODES),
        poll=runs.fail_once("unknown"),
    ),
    "run_fails_busy": Scenario(
        "the first run of a query fails with 4/1504022", "6.8", CODES, poll=runs.fail_once("busy")
    ),
    "run_fails_too_large": Scenario(
        "the first run of a query fails with -3/1504045, whatever its size",
        *("6.8", CODES),
        poll=runs.fail_once("too_large"),
    ),
    "run_fails_silently": Scenario(
        "the first run of a query fails without a reason, as before v25",
        *("6.8", PRACTICE),
        poll=runs.fail_once("silent"),
    ),
    "run_always_fails": Scenario(
        "every run fails with -2/2490547", "6.8", CODES, poll=runs.always_fails
    ),
    "run_skipped_once": Scenario(
        "the first run of a query is skipped", "6.6", PRACTICE, poll=runs.skip_once
    ),
    "run_vanishes": Scenario(
        "the first run of a query is unknown (100/33) once it would be done",
        *("6.12", PRACTICE),
        poll=runs.vanish,
    ),
    "run_unreadable": Scenario(
        "a completed run answers 2601/1815107 to its first N reads",
        *("6.10", READ_TOO_EARLY, 2),
        read=runs.unreadable,
    ),
    "run_never_readable": Scenario(
        "the first run of a query answers 2601/1815107 for ever",
        *("6.10", READ_TOO_EARLY),
        read=runs.unreadable_once,
    ),
    "spurious_summary": Scenario(
        "the first read of a run: Cannot include … in summary param",
        *("3.5.10", f"{TRANSIENT}; singer-io/tap-facebook"),
        read=runs.spurious_summary,
    ),
    "run_id_number": Scenario(
        "report_run_id is a JSON number",
        *("6.1", "facebook-nodejs-business-sdk #119, #188"),
        after=answers.create_answer(lambda run: {"report_run_id": int(run)}, once=False),
    ),
    "run_id_missing": Scenario(
        "the first creation of a run answers in turn without its id and with null",
        *("6.16", "asked about, seen nowhere"),
        after=answers.create_answer(lambda _: {}, lambda _: {"report_run_id": None}),
    ),
    "odd_polls": Scenario(
        "one in N polls: in turn HTML, no status, no percent, nulls",
        *("6.15", TRANSIENT, 3),
        after=answers.poll_body,
    ),
    # Batches
    "batch_null": Scenario("one in N items: null", "9.4", BATCH, 4, item=answers.item_null),
    "batch_throttled": Scenario(
        "one in N items: 17/2446079",
        *("9.6", f"{BATCH}; {TRANSIENT}", 4),
        item=answers.item_error("throttled_account"),
    ),
    "batch_timed_out": Scenario(
        "one in N items: 960", "9.8", TRANSIENT, 4, item=answers.item_error("batch_aborted")
    ),
    # Numbers and rows
    "restated": Scenario(
        "numbers of the last 28 days differ by a few percent; so does the truth",
        *("5.5", PRACTICE),
        tables=numbers.restate,
    ),
    "restated_days": Scenario(
        "N percent of the account-days of the last 28 days grow a little; so does the truth",
        *("5.5", PRACTICE, 10),
        tables=numbers.restate_days,
    ),
    "late_numbers": Scenario(
        "the first run that shows a day has less than the truth, later ones and totals have it all",
        *("5.5", PRACTICE),
        tables=numbers.arrive_late,
    ),
    "wrong_rows": Scenario(
        "lists of ads lack one hour of each account-day; totals keep it",
        *("5.6.11", "the reason for control totals; seen nowhere"),
        tables=numbers.lose_a_row,
    ),
    "empty_hour": Scenario(
        "for N minutes insights and totals alike have no rows, with HTTP 200",
        *("5.5", "field reports of 2026", 60),
        tables=numbers.fall_silent,
    ),
    "rounded_spend": Scenario(
        "spend is rounded row by row; an account's own totals are rounded once",
        *("5.5", "field reports of 2026"),
        tables=numbers.round_rows,
    ),
    "breakdowns_ignored": Scenario(
        "insights come as if no breakdown had been asked for",
        *("5.6", "field reports of 2026"),
        rows=numbers.ignore_breakdowns,
    ),
    "hour_key_missing": Scenario(
        "the first ad of each account-day comes as one row without its hour; so in the truth",
        *("5.6.8", "singer-io/tap-facebook #244; facebook-java-business-sdk #301"),
        tables=numbers.lose_hour_key,
    ),
    "elapsed_hours": Scenario(
        "on days when the clock changes labels count hours since midnight; so in the truth",
        *("5.6.10", "documented nowhere: the other way it could be"),
        tables=numbers.count_elapsed_hours,
    ),
    "old_hours_refused": Scenario(
        "hourly insights that begin before the 13 months are refused, not cut off",
        *("5.6.9", "documented nowhere: the other way it could be"),
        ask=calls.refuse_old_hours,
    ),
    "old_fields_refused": Scenario(
        "insights with this field that begin before the 13 months are refused (100)",
        *("1.14", "documented nowhere: one way it could be", "unique_clicks"),
        ask=partial(calls.refuse_old_fields, "insights_field"),
    ),
    "old_fields_unavailable": Scenario(
        "insights with this field that begin before the 13 months are refused in other words",
        *("1.14", "documented nowhere: another way it could be", "unique_clicks"),
        ask=partial(calls.refuse_old_fields, "old_field"),
    ),
    "not_opted_in": Scenario(
        "no account has switched on a feature: breakdowns that need one have no rows and no error",
        *("1.14", "Out-of-cycle changes 2026"),
        rows=numbers.hide_opt_in,
    ),
    "rows_in_other_order": Scenario(
        "each time a report is read its rows stand in another order",
        *("5.2.7", "Insights API reference: no order is promised"),
        rows=numbers.shuffle,
    ),
    "rows_twice": Scenario(
        "an active object is seen as paused too, by a query that asks for PAUSED and not ACTIVE",
        *("11.36", PAGING),
        rows=numbers.show_twice,
    ),
    "totals_twice": Scenario(
        "the row of an account's totals comes twice",
        *("6.9", "its kind: rows that come twice on pages"),
        rows=numbers.repeat_totals,
    ),
    # Lists of actions
    "actions_missing": Scenario(
        "lists of campaigns, ad sets and ads lack one action type; the account's totals have it",
        *("5.4", "airbyte #64554, #68689: purchases gone while spend is right", "omni_purchase"),
        rows=lists.lose_action_type,
    ),
    "window_missing": Scenario(
        "lists of campaigns, ad sets and ads lack one window; the account's totals have it",
        *("5.5", "facebook-python-business-sdk #694", "7d_click"),
        rows=lists.lose_window,
    ),
    "totals_without_actions": Scenario(
        "an account's totals are refused with lists of actions (too_much, no_data, unknown)",
        *("8.3", "seen nowhere: what asking for more in one call could cost", "too_much"),
        words=lists.REFUSALS_OF_LISTS,
        ask=lists.refuse_lists,
    ),
    # Values
    "empty_value": Scenario(
        "one in N rows has an entry in actions whose value is an empty text",
        *("5.4", "a field report", 7),
        rows=values.empty_value,
    ),
    "odd_entry": Scenario(
        "one in N rows has a null among the entries of actions",
        *("5.4", "a field report, its kind", 7),
        rows=values.odd_entry,
    ),
    "odd_cell": Scenario(
        "one in N rows has n/a for full_view_impressions, which proves nothing",
        *("5.3", "a field report, its kind", 7),
        rows=values.odd_cell,
    ),
    "half_character": Scenario(
        "one in N rows has half a surrogate pair in campaign_name",
        *("5.2", "a field report", 7),
        rows=values.half_character,
    ),
    "signed_again": Scenario(
        "each time that rows by asset are read their addresses are signed anew; the first row comes"
        " twice",
        *("5.8", "keboola/component-meta"),
        rows=values.sign_again,
    ),
    # Accounts and their objects
    "odd_objects": Scenario(
        "one in N campaigns, ad sets and ads has a budget, a name, a time that cannot be read",
        *("4.2", "a field report, its kind", 5),
        after=objects.break_cells,
        item=objects.break_cells,
    ),
    "lost_objects": Scenario(
        "one in N campaigns, ad sets and ads is null in its list, or has no id there",
        *("3.2", "a field report, its kind", 5),
        after=objects.lose_objects,
    ),
    "odd_accounts": Scenario(
        "the list of accounts has a null and one without id; the name and balance of the second"
        " cannot be read, the third has a time zone that does not exist",
        *("4.8", "a field report, its kind"),
        after=objects.break_accounts,
    ),
    "no_limits": Scenario(
        "caps of campaigns are 922337203685478, which is none; ad sets end in 1969, which is never",
        *("4.2", "Campaign reference, spend_cap; a field report"),
        after=objects.no_limits,
        item=objects.no_limits,
    ),
    "large_amounts": Scenario(
        "what accounts have spent has 16 digits",
        *("4.2", "a field report"),
        after=objects.enlarge_amounts,
    ),
    "unknown_currency": Scenario(
        "the second account has the currency XTS",
        *("4.4", "a field report, its kind"),
        after=objects.rename_currency,
    ),
}
