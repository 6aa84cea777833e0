"""What may come of account-days under each scenario of the sandbox. A combination may do what its
parts may do; whatever no part allows must end equal to the truth, and proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.errors import BlockedError, TokenError, VersionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["EXPECTED", "TOGETHER", "May", "name_of"]

#: Accounts by where they stand in the listing.
ALL: Final = frozenset(range(5))
SECOND, THIRD, FOURTH = frozenset({1}), frozenset({2}), frozenset({3})


@dataclass(frozen=True, slots=True)
class May:
    """What a scenario may do. Texts are patterns of the error, or of the reason, that is told.

    `fails`: these `accounts` may fail, and alone they must, if that `is_sure`. `unproven`:
    account-days may stay unproven. `stops`: all may end by this error. `missing`: fields that may
    be left out. `moves`: numbers differ between two looks, so that a report may be asked for once
    more after it was read. `empties`: days of which nothing was loaded may be proven without rows.
    `loses_hours`: unproven rows may be other than the true ones. `strengths`: what else may stand
    after the name. `beside`: without these it meets nothing. `is_met`: it strikes a load at all.
    `is_alone`: nothing could be seen beside it. `is_dear`: it takes thousands of calls, and so
    stays out of the short form.
    """

    fails: str = ""
    accounts: Collection[int] = ALL
    is_sure: bool = True
    unproven: str = ""
    stops: type[Exception] | None = None
    missing: Collection[str] = ()
    moves: bool = False
    empties: bool = False
    loses_hours: bool = False
    strengths: Collection[str] = ()
    beside: Collection[str] = ()
    is_met: bool = True
    is_alone: bool = False
    is_dear: bool = False

    @property
    def is_harmless(self) -> bool:
        """All ends equal to the truth, and proven."""
        return not (self.fails or self.unproven or self.stops)


#: It must end equal to the truth, and proven.
EQUAL: Final = May()


def _equal(*strengths: str) -> May:
    return May(strengths=strengths)


EXPECTED: Final[Mapping[str, May]] = {
    # Tokens: one clear error ends everything, and what the lake had stays.
    "expired_token": May(stops=TokenError, is_alone=True),
    "token_dies": May(stops=TokenError, strengths=("3", "12", "25", "60")),
    "password_changed": May(stops=TokenError, is_alone=True),
    "app_not_installed": May(stops=TokenError, is_alone=True),
    "session_invalid": May(stops=TokenError, is_alone=True),
    "blocked": May(stops=BlockedError, is_alone=True),
    "app_blocked": May(stops=BlockedError, is_alone=True),
    # Accounts: one that is forbidden or gone fails alone.
    "forbidden_account": May(r"code 200\b", SECOND),
    "forbidden_app": May(r"code 10\b", SECOND),
    "forbidden_insights": May(r"code 100/3191001\b", SECOND),
    "gone_account": May(r"code 100/33\b", THIRD),
    "lost_account": May(r"code 200\b", FOURTH, strengths=("1", "3", "5")),
    # Versions: the app's version is every account's.
    "expired_version": May(stops=VersionError, is_alone=True),
    "upgraded_version": EQUAL,
    "other_version": EQUAL,
    # Throttles
    "throttled": _equal("3", "5"),
    "throttled_management": _equal("3", "5"),
    "throttled_account": _equal("3", "5"),
    "throttled_account_613": _equal("3", "5"),
    "throttled_app": _equal("3", "5"),
    "throttled_insights": _equal("3", "5"),
    "throttled_page": _equal("3", "5"),
    "throttled_application": _equal("3", "5"),
    "throttled_custom": _equal("3", "5"),
    "throttled_metrics": _equal("2"),
    "never_resets": May(r"Gave up.* limit.* (of waiting|refused)", SECOND, strengths=("55",)),
    "held_up": _equal("5"),
    "overstated_wait": _equal("2"),
    "quota_full": May(is_met=False),
    "quota_limited": May(is_met=False),
    "quota_tight": May(is_met=False, strengths=("10", "25")),
    # Luck
    "flaky": _equal("3", "4"),
    "html": _equal("3", "4"),
    "empty_500": _equal("3", "4"),
    "service_unavailable": _equal("3", "4"),
    "cut_json": _equal("3", "4"),
    "reset": _equal("3", "4"),
    "dripping": EQUAL,
    "inflated": EQUAL,
    "slow": EQUAL,
    "unavailable": _equal("3", "4"),
    "intermittent": _equal("3", "4"),
    "unknown_error": _equal("3", "4"),
    "odd_errors": _equal("3", "4"),
    "always": May(r"code 1/99\b", is_alone=True),
    # Lists
    "short_pages": EQUAL,
    "empty_pages": EQUAL,
    "endless_pages": May(r"empty pages in a row", beside=("short_pages",), is_dear=True),
    "repeated_rows": May(r"without new rows", beside=("short_pages",), is_dear=True),
    "paged_by_time": May(r"not paged by cursors", beside=("short_pages",)),
    # What fits into two pages can be had.
    "repeated_cursor": May(r"repeats the cursor", is_sure=False, beside=("limit_too_high:100",)),
    "broken_cursor": May(beside=("short_pages",)),
    "no_total_count": May(is_met=False),
    "wrong_total_count": May(is_met=False),
    # Too much at once
    "limit_too_high": _equal("1000", "60", "17"),
    "page_too_large": _equal("200000", "20000"),
    "too_much_data": _equal("1", "5"),
    "sync_times_out": May(strengths=("1", "3"), is_met=False),
    "run_too_long": _equal("3", "5"),
    "run_too_many_rows": May(strengths=("300", "2000")),
    "run_too_many_objects": May(strengths=("3", "15"), is_dear=True),
    "run_too_many_statuses": May(strengths=("1", "2", "8"), is_dear=True),
    "run_dies_of_field": May(
        unproven=r"^Meta did not deliver inline_link_clicks$", missing=("inline_link_clicks",)
    ),
    # Report runs
    "fresh_run_unknown": _equal("2", "3"),
    "run_stuck_at_100": _equal("6"),
    "run_hangs_once": _equal("60", "100"),
    "run_hangs": May(r"is stuck", strengths=("0", "50", "99")),
    "run_fails_once": EQUAL,
    "run_fails_unknown": EQUAL,
    "run_fails_busy": EQUAL,
    "run_fails_too_large": EQUAL,
    "run_fails_silently": EQUAL,
    "run_always_fails": May(r"-2/2490547", is_dear=True),
    "run_skipped_once": EQUAL,
    "run_vanishes": EQUAL,
    "run_unreadable": _equal("1", "4"),
    "run_never_readable": EQUAL,
    "spurious_summary": EQUAL,
    "run_id_number": EQUAL,
    "run_id_missing": EQUAL,
    "odd_polls": _equal("2"),
    # Batches
    "batch_null": _equal("2"),
    "batch_throttled": _equal("2"),
    "batch_timed_out": _equal("2"),
    # Numbers and rows
    "restated": EQUAL,
    "restated_days": _equal("40"),
    "late_numbers": May(moves=True),
    "wrong_rows": May(unproven=r"short of the account's total", moves=True),
    "empty_hour": May(r"^Meta returned no rows", empties=True, moves=True, is_sure=False),
    "rounded_spend": EQUAL,
    # Its rows are fewer than those that `rounded_spend` has rounded.
    "breakdowns_ignored": May(
        unproven=r"^no row has the requested breakdown|^spend .* the account's total$",
        loses_hours=True,
        moves=True,
    ),
    "hour_key_missing": EQUAL,
    "totals_twice": EQUAL,
    "elapsed_hours": EQUAL,
    "settling": EQUAL,
    "runaway": EQUAL,
    "stopped": EQUAL,
    "over_budget": EQUAL,
    "budget_scheduled": EQUAL,
    "cap_reset": May(is_met=False),
    "old_hours_refused": May(is_met=False),
    "old_fields_refused": May(is_met=False),
    "old_fields_unavailable": May(is_met=False),
    "not_opted_in": May(is_met=False),
    "opted_in_in_turn": May(is_met=False),
    "no_feature_settings": May(is_met=False),
    "rows_in_other_order": EQUAL,
    # Lists of actions: a warning that holds nothing back
    "actions_missing": EQUAL,
    "window_missing": EQUAL,
    "totals_without_actions": _equal("no_data", "unknown"),
    "rows_twice": May(beside=("run_too_many_statuses:1",), is_dear=True),
    # Values: what cannot be read is noted, and all else is the truth. Rows are read by hour here.
    "empty_value": _equal("1", "3"),
    "odd_entry": _equal("1", "3"),
    "odd_cell": _equal("1", "3"),
    "half_character": _equal("1", "3"),
    "signed_again": May(is_met=False),
    # Accounts and their objects: they are read before, and not by a load of a report.
    "odd_objects": May(is_met=False),
    "hostile_names": EQUAL,
    "overdone_objects": May(is_met=False),
    "lost_objects": May(is_met=False),
    "odd_accounts": May(is_met=False),
    "no_limits": May(is_met=False),
    "large_amounts": May(is_met=False),
    "unknown_currency": May(is_met=False),
    # What ads are made of: a load of a report does not read it.
    "spoiled_creatives": May(is_met=False),
    "heavy_creatives": May(is_met=False),
    "failing_creatives": May(is_met=False),
    "dead_creatives": May(is_met=False),
    "broken_pictures": May(is_met=False),
    "forbidden_audiences": May(is_met=False),
    "retired_fields": May(is_met=False),
    "long_activities": May(is_met=False),
}


#: What scenarios, each with its strength, may do together that none of them does alone.
TOGETHER: Final[Mapping[frozenset[str], May]] = {
    # Between them no item of a batch is ever answered, and runs are polled in batches: they fail
    # for what the last of the tries met.
    frozenset({"batch_null:2", "batch_throttled:2"}): May(r".", is_sure=False),
    # A run that hangs is given up for what its last polls showed, which may be nonsense.
    frozenset({"run_hangs:99", "odd_polls:2"}): May(r".", is_sure=False),
    frozenset({"run_hangs:50", "service_unavailable:4"}): May(r".", is_sure=False),
    # An account is blocked each time that it is asked again: a limit that never resets.
    frozenset({"throttled_account", "batch_throttled:2"}): May(
        r"Gave up.* limit.* refused", is_sure=False
    ),
    # As much is waited as a wait may last, and every third page is refused again: if those come in
    # a row, that is a limit that never resets too.
    frozenset({"overstated_wait:2", "throttled_page:3"}): May(
        r"Gave up.* limit.* refused", is_sure=False
    ),
}


def name_of(scenario: str) -> str:
    """The name without its strength."""
    return scenario.partition(":")[0]
