"""The truth: what an account-day really delivered, and which objects an account has, for tests
to compare with what they received.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.insights.columns import COLUMNS, Measured, major
from fbgraph.sandbox.insights.splits import SPLITS, split_ad
from fbgraph.sandbox.world.delivery import NOTHING, add

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from fbgraph.sandbox.insights.rows import Tables
    from fbgraph.sandbox.world.delivery import Numbers
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["describe_account", "truth"]

#: What the truth has of each row, as insights would.
TRUTH_FIELDS: Final = (
    *("account_id", "campaign_id", "adset_id", "ad_id", "impressions", "clicks", "spend"),
    *("inline_link_clicks", "actions", "action_values"),
)


def truth(
    account: WorldNode, day: date, tables: Tables, breakdowns: tuple[str, ...] | None = None
) -> dict[str, Any]:
    """By ad and hour; or by ad and `breakdowns`, which may be empty. Raises ValueError for an
    unknown breakdown.
    """
    if unknown := sorted({*(breakdowns or ())} - {*SPLITS}):
        raise ValueError(f"The sandbox does not imitate the breakdown {unknown[0]}.")
    found = list(_delivered(account, day, tables, breakdowns))
    total = add(numbers for *_, numbers in found) if found else NOTHING
    hourly = breakdowns is None
    return {
        "account_id": account.id,
        "date": str(day),
        "rows": [_truth_row(ad, day, numbers, hourly=hourly) | key for ad, key, numbers in found],
        "count": len(found),
        "sums": _sums(account, day, total),
    }


def _delivered(
    account: WorldNode, day: date, tables: Tables, breakdowns: tuple[str, ...] | None
) -> Iterator[tuple[WorldNode, dict[str, Any], Numbers]]:
    """Each row's ad, what distinguishes it from the ad's other rows, and its numbers."""
    for ad in account.under("ad"):
        table = tables(ad, day)
        if breakdowns is None:
            for hour, numbers in table.items():
                yield ad, {"hour": hour}, numbers
        elif table and breakdowns:
            parts = split_ad(ad, add(table.values()), breakdowns)
            for values, numbers in parts.items():
                yield ad, dict(zip(breakdowns, values, strict=True)), numbers
        elif table:
            yield ad, {}, add(table.values())


def _truth_row(ad: WorldNode, day: date, numbers: Numbers, *, hourly: bool) -> dict[str, Any]:
    measured = Measured(ad, day, day, numbers, hourly=hourly, windows=(), partners=())
    row = {name: value for name in TRUTH_FIELDS if (value := COLUMNS[name](measured)) is not None}
    return {**row, "date": str(day)}


def _sums(account: WorldNode, day: date, total: Numbers) -> dict[str, str]:
    measured = Measured(account, day, day, total, hourly=True, windows=(), partners=())
    return {
        "impressions": str(total.impressions),
        "clicks": str(total.clicks),
        "inline_link_clicks": str(total.link_clicks),
        "spend": major(total.spend, measured.offset),
    }


def describe_account(account: WorldNode) -> dict[str, Any]:
    objects: dict[str, dict[str, int]] = {}
    for level in ("campaign", "adset", "ad"):
        statuses = [node.effective_status for node in account.under(level)]
        objects[level] = {status: statuses.count(status) for status in sorted(set(statuses))}
    return {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "name": account.name,
        "currency": account.about.currency,
        "timezone_name": account.about.zone,
        "objects": objects,
    }
