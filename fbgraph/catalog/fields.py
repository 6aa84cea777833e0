"""What can be requested from the Graph API: fields, statuses, operators, breakdowns, attribution
windows, hours.

The CSV files next to this module hold one field, breakdown or combination a line; everything else
is short enough to be here. The sandbox imports this room and nothing else of the client, so it
states only what Meta documents or was seen to do, and decides nothing about how to request it.

Sources: Marketing API v26.0 reference pages of insights, ad account, campaign, ad set and ad;
the field lists of Meta's own SDK 26.0.3 (facebook-business).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.breakdowns import (
    ACTION_BREAKDOWNS,
    BREAKDOWNS,
    COMBINATIONS,
    FEATURES,
    HOURLY,
    HOURLY_AUDIENCE,
    HOURLY_PARTNERS,
    ONLY_NONE,
    Breakdown,
    Combination,
    action_breakdowns,
    breakdowns,
    combination,
    rows_of,
)
from fbgraph.catalog.edges import EDGE_KINDS, EDGE_ROWS, NO_TOTAL_COUNT
from fbgraph.catalog.retirements import retired
from fbgraph.catalog.versions import READ_ON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.catalog.retirements import Retirement

__all__ = [
    "ACTION_BREAKDOWNS",
    "ALWAYS_RETURNED",
    "ATTRIBUTION_WINDOWS",
    "BREAKDOWNS",
    "COMBINATIONS",
    "DATE_PRESETS",
    "DEAD_WINDOWS",
    "EDGE_KINDS",
    "EDGE_ROWS",
    "EFFECTIVE_STATUSES",
    "FEATURES",
    "HOURLY",
    "HOURLY_AUDIENCE",
    "HOURLY_PARTNERS",
    "HOUR_LABELS",
    "LEVELS",
    "NO_TOTAL_COUNT",
    "ONLY_NONE",
    "OPERATORS",
    "Breakdown",
    "Combination",
    "InsightsField",
    "ObjectField",
    "action_breakdowns",
    "breakdowns",
    "combination",
    "insights_fields",
    "object_fields",
    "of",
    "readable",
]

#: Levels of aggregation of insights, coarsest first.
LEVELS: Final[Sequence[str]] = ("account", "campaign", "adset", "ad")

#: The values of `HOURLY`, in the order of the day.
HOUR_LABELS: Final[Sequence[str]] = tuple(f"{h:02}:00:00 - {h:02}:59:59" for h in range(24))

#: In every insights row, requested or not.
ALWAYS_RETURNED: Final[Sequence[str]] = ("date_start", "date_stop")

#: object → its `effective_status` values. Meta adds to these: store them as text.
EFFECTIVE_STATUSES: Final[Mapping[str, Sequence[str]]] = {
    "campaign": ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
    "adset": (
        *("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
        "CAMPAIGN_PAUSED",
    ),
    "ad": (
        *("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
        *("CAMPAIGN_PAUSED", "ADSET_PAUSED", "DISAPPROVED", "PENDING_BILLING_INFO"),
        *("PENDING_REVIEW", "PREAPPROVED"),
    ),
}

#: Operators of `filtering`. Source: Insights API reference.
OPERATORS: Final = frozenset({
    *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN"),
    *("LESS_THAN_OR_EQUAL", "IN_RANGE", "NOT_IN_RANGE", "CONTAIN", "NOT_CONTAIN"),
    *("CONTAINS_ANY", "CONTAINS_ALL", "NOT_CONTAINS_ANY", "STEM_MATCH", "IN", "NOT_IN"),
    *("STARTS_WITH", "ENDS_WITH", "ANY", "ALL", "AFTER", "BEFORE", "ON_OR_AFTER"),
    *("ON_OR_BEFORE", "NONE", "TOP"),
})  # fmt: skip

#: Values of `date_preset`. Source: Insights API reference.
DATE_PRESETS: Final = frozenset({
    *("today", "yesterday", "this_month", "last_month", "this_quarter", "maximum"),
    *("data_maximum", "last_3d", "last_7d", "last_14d", "last_28d", "last_30d", "last_90d"),
    *("last_week_mon_sun", "last_week_sun_sat", "last_quarter", "last_year"),
    *("this_week_mon_today", "this_week_sun_today", "this_year"),
})  # fmt: skip

#: Values of `action_attribution_windows`. Source: facebook-business 26.0.3,
#: AdsInsights.ActionAttributionWindows.
ATTRIBUTION_WINDOWS: Final = frozenset(
    """
    1d_click 7d_click 28d_click 1d_view 1d_ev 7d_view 28d_view default dda custom
    1d_sequenced 7d_sequenced 28d_sequenced
    incrementality incrementality_all_conversions incrementality_first_conversion
    7d_view_all_conversions 7d_view_first_conversion
    28d_view_all_conversions 28d_view_first_conversion
    skan_click skan_click_second_postback skan_click_third_postback
    skan_view skan_view_second_postback skan_view_third_postback
    """.split()
)

#: Those that no longer have values; `retirements.csv` says since when and why.
DEAD_WINDOWS: Final[Mapping[str, Retirement]] = retired("action_attribution_windows", READ_ON)


#: `care` of object fields that ``"*"`` leaves out.
_NOT_IN_A_STAR: Final = frozenset({"fails", "personal"})


@dataclass(frozen=True, slots=True)
class InsightsField:
    """One field of insights, as `insights_fields.csv` states it.

    `kind`: id, text, date, count, decimal, percent, money, actions (a list of action statistics),
    histograms, objects. `unit`: major (currency units), percent, seconds, ratio or empty.
    `additive`: yes, no, per_action_type, or empty if it is not a metric.
    `hourly`, under the hourly breakdowns: ok, zero (comes as "0"), absent, omitted (accepted and
    left out), on_meta (actions off Meta are missing), error (the request is refused).
    `care`: empty, or why not to request it by default: refused (since v19), fails, kills_runs,
    unreadable (the finished run cannot be read), splits_rows, renamed, alone, needs_filter,
    needs_product (the action breakdown action_converted_product_id), not_of_accounts (fails at that
    level).
    """

    field: str
    kind: str
    unit: str
    additive: str
    hourly: str
    care: str


@dataclass(frozen=True, slots=True)
class ObjectField:
    """One readable field of an ad account, of what it advertises, or of what that is made of.

    `wire` is its JSON type: string, number, boolean, array, object. `kind` says what it means: id,
    text, timestamp, epoch (seconds), money_minor (the currency's smallest unit), json (JSON as
    text), or again the JSON type. `right`: what a token needs beyond `ads_read` to read it, else
    empty. `care`: empty, or fails (the whole request, for many accounts), costly (makes pages so
    large that they must be shorter), volatile (another value at each read), personal (names a
    person).
    """

    object: str
    field: str
    wire: str
    kind: str
    right: str
    care: str


@cache
def insights_fields() -> Mapping[str, InsightsField]:
    """Every insights field by name (238)."""
    return {row["field"]: InsightsField(**row) for row in rows_of("insights_fields.csv")}


@cache
def object_fields(name: str) -> Mapping[str, ObjectField]:
    """Every readable field of one kind of object: a value of `EDGE_KINDS` other than insights.

    Raises KeyError for another name: otherwise no fields at all would be requested, silently.
    """
    rows = [row for row in rows_of("object_fields.csv") if row["object"] == name]
    if not rows:
        raise KeyError(name)
    return {row["field"]: ObjectField(**row) for row in rows}


def of(kind: str) -> Mapping[str, InsightsField | ObjectField]:
    """Every field of ``insights`` or of a kind of objects, a value of `EDGE_KINDS`.

    Raises KeyError for another kind.
    """
    return insights_fields() if kind == "insights" else object_fields(kind)


def readable(kind: str, *, hourly: bool = False) -> Sequence[str]:
    """The fields of `kind` that a token with ``ads_read`` may request together: ``fields="*"``.

    Those that need more rights are left out, those that name a person, and those that fail a
    request or a report run; `hourly` leaves out what the hourly breakdown refuses. Raises KeyError
    for another kind.
    """
    if kind != "insights":
        return tuple(
            name
            for name, field in object_fields(kind).items()
            if not field.right and field.care not in _NOT_IN_A_STAR
        )
    return tuple(
        name
        for name, field in insights_fields().items()
        if not field.care and not (hourly and field.hourly == "error")
    )
