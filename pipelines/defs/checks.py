"""The checks of each asset, such as `complete`, and how a run's findings become check results. No
I/O.

Only `grain` blocks: rows that count twice silently make every sum too high. An incomplete day is
published, marked in `loads`, and its check is red.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import dagster as dg

from fbgraph import act_id
from pipelines.loading.partitions import key_of
from pipelines.loading.refreshing.refresh import REFRESH_HOUR
from warehouse.decode.hours import today_in
from warehouse.decode.objects import Unreadable
from warehouse.schema.periods import Period
from warehouse.schema.verdicts import UNPROVABLE, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Sized
    from datetime import date, datetime

    from pipelines.loading.load_result import Outcome
    from pipelines.loading.objects import Listed, MentionedObjects
    from warehouse.decode.pages import Account
    from warehouse.lake.records import Load
    from warehouse.schema.objects.object_table import ObjectTable

__all__ = [
    "CONVERSIONS",
    "COUNTED",
    "FRESH",
    "NEWEST",
    "REJECTS",
    "counted_result",
    "counted_spec",
    "expected",
    "fresh_result",
    "report_results",
    "report_specs",
]

COMPLETE: Final = "complete"
CONVERSIONS: Final = "conversions"
GRAIN: Final = "grain"
REJECTS: Final = "rejects"
IDS_KNOWN: Final = "ids_known"
FRESH: Final = "fresh"
COUNTED: Final = "counted"

#: check of a report → its description.
REPORT_CHECKS: Final[Mapping[str, str]] = {
    COMPLETE: "Impressions, clicks and spend add up to the account's own totals.",
    CONVERSIONS: "Actions add up to the account's own, per action type and attribution window.",
    GRAIN: "No two rows have the same key: sums count nothing twice.",
    REJECTS: "Every row and value could be read exactly. The table `rejects` has what could not.",
    IDS_KNOWN: "Every campaign, ad set and ad that rows mention is in the tables of objects.",
}

#: Checks that block downstream assets of the same run.
BLOCKING: Final = frozenset({GRAIN})

#: Hours after an account's own REFRESH_HOUR by which its yesterday is to be loaded.
GRACE_HOURS: Final = 4

#: What the check `fresh` waits for, in words.
NEWEST: Final[Mapping[Period, str]] = {
    Period.DAY: "yesterday",
    Period.WEEK: "last whole week",
    Period.MONTH: "last whole month",
}

#: Most account-days or accounts that a result names; the others are counted.
_NAMED: Final = 20

#: Most reasons that a result names for actions that cannot be proven.
_REASONS: Final = 3

_ERROR: Final = dg.AssetCheckSeverity.ERROR
_WARN: Final = dg.AssetCheckSeverity.WARN


def report_specs(
    asset: dg.AssetKey, no_sums: str = "", no_conversions: str = ""
) -> Sequence[dg.AssetCheckSpec]:
    """The checks of a report that each of its runs makes. `no_sums`: why its rows add up to no
    total, if they do not; `no_conversions`: the same for its lists of actions.
    """
    why_not = {COMPLETE: no_sums, CONVERSIONS: no_conversions}
    sentences = {name: _sentence(why) for name, why in why_not.items() if why}
    checks = {**REPORT_CHECKS, **sentences}
    return [
        dg.AssetCheckSpec(name, asset=asset, description=does, blocking=name in BLOCKING)
        for name, does in checks.items()
    ]


def counted_spec(asset: dg.AssetKey, row: ObjectTable) -> dg.AssetCheckSpec:
    """The check of a table of objects."""
    description = (
        f"As many {row.name} are listed as total_count says, and all could be read."
        if row.is_counted
        else f"All {row.name} that are listed could be read. Meta does not count them, so nothing"
        " proves that the list is complete."
    )
    return dg.AssetCheckSpec(COUNTED, asset=asset, description=description)


def report_results(
    asset: dg.AssetKey,
    outcomes: Sequence[Outcome],
    known: Mapping[str, MentionedObjects],
    silence: str = "",
) -> Sequence[dg.AssetCheckResult]:
    """The check results of a run over account-days of a report; `known` by account (digits).
    `silence`: what a person must know if Meta returned nothing at all.
    """
    loads = {key_of(one.account_day): one.load for one in outcomes if one.load}
    return [
        _complete_result(asset, outcomes, loads, silence),
        _conversions_result(asset, loads),
        _grain_result(asset, outcomes, loads),
        _rejects_result(asset, loads),
        _ids_known_result(asset, known),
    ]


def _complete_result(
    asset: dg.AssetKey, outcomes: Sequence[Outcome], loads: Mapping[str, Load], silence: str
) -> dg.AssetCheckResult:
    # Their new rows did not add up either, or were none; what was loaded before is unchanged.
    kept = {key_of(one.account_day): one.error for one in outcomes if one.kind}
    wrong = {key: load.reason for key, load in loads.items() if not load.is_good} | kept
    severity, sentences = _ERROR, _complete(loads, len(wrong), len(loads) + len(kept))
    if silence and not wrong:  # they may be right, and nothing is red for it
        severity, sentences = _WARN, f"{silence}."
        wrong = dict.fromkeys(loads, "no rows and no totals")
    provisional = {
        key: "; ".join(filter(None, (load.progress, load.reason)))
        for key, load in loads.items()
        if load.is_provisional
    }
    return _result(asset, COMPLETE, severity, wrong, sentences, provisional=_some(provisional))


def _conversions_result(asset: dg.AssetKey, loads: Mapping[str, Load]) -> dg.AssetCheckResult:
    wrong = {
        key: load.conversions_reason for key, load in loads.items() if load.conversions == UNPROVEN
    }
    unproved = {one.conversions_reason for one in loads.values() if one.conversions == UNPROVABLE}
    why_not = "".join(f" {_sentence(reason)}." for reason in sorted(unproved)[:_REASONS])
    share = _share("Account-days whose actions differ from the account's own", wrong, loads)
    return _result(asset, CONVERSIONS, _WARN, wrong, share + why_not)


def _grain_result(
    asset: dg.AssetKey, outcomes: Sequence[Outcome], loads: Mapping[str, Load]
) -> dg.AssetCheckResult:
    wrong = {
        key_of(one.account_day): counted(one.duplicates, "key")
        for one in outcomes
        if one.load and one.duplicates
    }
    share = _share("Account-days with rows that share a key", wrong, loads)
    return _result(asset, GRAIN, _ERROR, wrong, share)


def _rejects_result(asset: dg.AssetKey, loads: Mapping[str, Load]) -> dg.AssetCheckResult:
    wrong = {key: unread for key, load in loads.items() if (unread := _unread(load))}
    share = _share("Account-days with rows or values that could not be read", wrong, loads)
    return _result(asset, REJECTS, _WARN, wrong, share)


def _ids_known_result(
    asset: dg.AssetKey, known: Mapping[str, MentionedObjects]
) -> dg.AssetCheckResult:
    wrong = {act_id(i): _unknown(one) for i, one in known.items() if one.error or one.unknown}
    share = _share("Accounts with rows of objects that are not in the lake", wrong, known)
    return _result(asset, IDS_KNOWN, _WARN, wrong, share)


def _complete(loads: Mapping[str, Load], wrong: int, of: int) -> str:
    """The result of the check `complete`."""
    proven = sum(load.proven for load in loads.values())
    sentences = f"Account-days that add up to their totals: {proven:,} of {of:,}."
    if wrong:
        sentences = f"Account-days that do not add up to their totals: {wrong:,} of {of:,}."
    elif proven == of:
        sentences = f"All account-days add up to their totals ({of:,})."
    if unfinished := sum(load.is_provisional for load in loads.values()):
        was = "is provisional: its day was" if unfinished == 1 else "are provisional: their day was"
        sentences += f" {unfinished:,} {was} not over when Meta was asked, or only just."
    reasons = sorted({load.reason for load in loads.values() if load.verdict == UNPROVABLE})
    return sentences + "".join(f" {reason.capitalize()}." for reason in reasons)


def _unread(load: Load) -> str:
    counts = (
        (load.rejected, "row", "not loaded"),
        (load.rejected_cells, "value", "NULL or left out"),
    )
    return ", ".join(f"{counted(count, what)} {cost}" for count, what, cost in counts if count)


def _sentence(reason: str) -> str:
    """The text with a capital letter; the rest stays as it is, since names of fields may follow."""
    return reason[:1].upper() + reason[1:]


def _unknown(known: MentionedObjects) -> str:
    sentences = [f"{len(ids)} {table}, as {ids[0]}" for table, ids in known.unknown.items()]
    return "; ".join([known.error, *sentences] if known.error else sentences)


def counted_result(asset: dg.AssetKey, found: Sequence[Listed]) -> dg.AssetCheckResult:
    """Passes if every account's edge counted as many objects as it listed, and all of them could be
    read.

    Otherwise a warning: the count is Meta's hint, which objects without permission or changed
    meanwhile make differ, and a value that cannot be read does not affect any other.
    """
    listings = [one.listing for one in found if one.listing]
    wrong = {act_id(one.account_id): detail for one in found if (detail := _uncounted(one))}
    unreadable = sum((one.unreadable for one in found), Unreadable())
    return _result(
        *(asset, COUNTED, _WARN, wrong),
        _share(
            "Accounts that list more or fewer objects than total_count, or objects that could"
            " not be read",
            *(wrong, listings),
        ),
        listed=sum(len(listing.rows) for listing in listings),
        counted=sum(listing.total_count or 0 for listing in listings),
        rejected=unreadable.objects,
        rejected_cells=unreadable.cells,
    )


def _uncounted(one: Listed) -> str:
    differs = str(one.listing) if one.listing and not one.listing.complete else ""
    return "; ".join(filter(None, (differs, str(one.unreadable))))


def fresh_result(
    asset: dg.AssetKey,
    accounts: Mapping[str, Account],
    yesterdays: Mapping[str, Load | None],
    now: datetime,
    period: Period = Period.DAY,
) -> dg.AssetCheckResult:
    """Passes if every account has the day (or the week, or the month) that it should have by its
    own clock (`expected`), proven or unprovable by its report.

    `yesterdays`: the load of that day, by account (digits); accounts without any load are not in
    it, and not late.
    """
    late = {
        act_id(i): f"{expected(accounts[i], now, period)} is {_state(load)}"
        for i, load in yesterdays.items()
        if load is None or not load.is_final
    }
    return _result(
        *(asset, FRESH, _WARN, late),
        _share(
            f"Accounts without their {NEWEST[period]} {GRACE_HOURS} hours after their refresh",
            *(late, yesterdays),
        ),
    )


def _state(load: Load | None) -> str:
    return "not loaded" if load is None else f"{load.verdict}: {load.reason}"


def expected(account: Account, now: datetime, period: Period = Period.DAY) -> date:
    """The newest day that an account should have: yesterday, from some hours after its own
    refresh. Of weeks and months, the first day of the newest that was over by then.
    """
    hours = timedelta(hours=REFRESH_HOUR + GRACE_HOURS)
    today = today_in(account.timezone_name, now - hours)
    return period.first(period.first(today) - timedelta(days=1))


def _result(
    asset: dg.AssetKey,
    name: str,
    severity: dg.AssetCheckSeverity,
    wrong: Mapping[str, str],
    sentences: str,
    **more: int | dg.MetadataValue,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=asset,
        passed=not wrong,
        severity=severity,
        description=sentences,
        metadata={"wrong": len(wrong), **more, "named": _some(wrong)},
    )


def _share(what: str, some: Sized, of: Sized) -> str:
    """Like ``Accounts without their yesterday: 2 of 3.``"""
    return f"{what}: {len(some) or 'none'} of {len(of):,}."


def _some(named: Mapping[str, str]) -> dg.MetadataValue:
    shown = dict(list(named.items())[:_NAMED])
    if len(named) > _NAMED:
        shown["..."] = f"and {len(named) - _NAMED} more"
    return dg.MetadataValue.json(shown)
