"""What is checked about each asset, and how a run's findings become check results. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.entities import Listed
    from pipelines.outcome import Outcome

__all__ = ["COMPLETE", "COUNTED", "complete_result", "counted_result"]

COMPLETE: Final = "complete"
COUNTED: Final = "counted"

#: Account-days or accounts that a result names at most; the rest is told as a number.
_NAMED: Final = 20


def complete_result(asset: str, outcomes: Sequence[Outcome]) -> dg.AssetCheckResult:
    """Passes when every account-day that was loaded adds up to the account's own totals."""
    loads = [outcome.load for outcome in outcomes if outcome.load is not None]
    unproven = {
        str(outcome.account_day): outcome.load.reason
        for outcome in outcomes
        if outcome.load is not None and not outcome.load.proven
    }
    return dg.AssetCheckResult(
        check_name=COMPLETE,
        asset_key=asset,
        passed=not unproven,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(loads) - len(unproven)} of {len(loads)} account-days are proven complete"
        " by their account's own totals.",
        metadata={"unproven": _some(unproven)},
    )


def counted_result(asset: str, found: Sequence[Listed]) -> dg.AssetCheckResult:
    """Passes when every account's edge counted as many objects as it listed. A warning: the count
    is Meta's hint, and objects without permission or changed meanwhile make it differ.
    """
    listings = {f"act_{one.account_id}": one.listing for one in found if one.listing}
    differing = {key: str(listing) for key, listing in listings.items() if not listing.complete}
    return dg.AssetCheckResult(
        check_name=COUNTED,
        asset_key=asset,
        passed=not differing,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(listings) - len(differing)} of {len(listings)} accounts list as many"
        " objects as their edge counts (total_count).",
        metadata={
            "listed": sum(len(listing.rows) for listing in listings.values()),
            "counted": sum(listing.total_count or 0 for listing in listings.values()),
            "differing": _some(differing),
        },
    )


def _some(named: Mapping[str, str]) -> dg.MetadataValue:
    shown = dict(list(named.items())[:_NAMED])
    if len(named) > _NAMED:
        shown["..."] = f"and {len(named) - _NAMED} more"
    return dg.MetadataValue.json(shown)
