"""The digest: once a day, if it is switched on, what every account spent yesterday."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from pipelines.watching.message import HEADS, who
from warehouse.decode.hours import zone_named
from warehouse.decode.money import money_text
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from pipelines.watching.open_day import OpenDay
    from pipelines.watching.told import WatchState
    from warehouse.published.opened import Warehouse

__all__ = ["digest_due", "digest_text", "unproven_days"]

#: Accounts that a digest has a line for: those that spent most, compared with their usual day.
MOST_ACCOUNTS: Final = 40

_UNPROVEN: Final = """
from loads select account_id, count(*)
where verdict = 'unproven' and date >= date '{since}' group by all
"""


def digest_due(wished: tuple[int, str] | None, last: date | None, now: datetime) -> date | None:
    """The day whose digest is due: once a day, from the hour in the zone that is `wished`."""
    if wished is None:
        return None
    hour, zone = wished
    local = now.astimezone(zone_named(zone))
    is_due = local.hour >= hour and (last is None or last < local.date())
    return local.date() if is_due else None


def unproven_days(opened: Warehouse, days: Sequence[OpenDay]) -> Mapping[str, int]:
    """By account (digits), loads of the last 28 days that do not add up. Raises WarehouseError."""
    if not days:
        return {}
    since = min(day.today for day in days) - timedelta(days=28)
    return dict(opened.sql(_UNPROVEN.format(since=since)).fetchall())


def digest_text(
    days: Sequence[OpenDay], state: WatchState, unproven: Mapping[str, int], link: str
) -> str:
    """The digest of accounts that spent something yesterday or usually do; "" if none did."""
    lines, sums = [], defaultdict[str, float](float)
    for day in days:
        on = day.today - timedelta(days=1)
        spend = next((one.spend for one in day.past if one.date == on), None)
        usual = median([one.spend for one in day.complete if one.date != on] or [0.0])
        if not spend and not usual:
            continue
        sums[day.currency] += spend or 0.0
        rank = (spend or 0.0) / usual if usual else float("inf")
        lines.append((rank, _line(day, on, spend, usual, state, unproven.get(day.account_id, 0))))
    if not lines:
        return ""
    lines.sort(key=lambda line: line[0], reverse=True)
    total = ", ".join(money_text(amount, code) for code, amount in sorted(sums.items()))
    more = [f"and {len(lines) - MOST_ACCOUNTS} more"] if len(lines) > MOST_ACCOUNTS else []
    shown = [text for _, text in lines[:MOST_ACCOUNTS]]
    head = f"fbinsights: yesterday, {counted(len(lines), 'account')}, {total}"
    return "\n".join([head, *shown, *more, *filter(None, [link])])


def _line(  # noqa: PLR0913, PLR0917  # what is said of an account
    day: OpenDay, on: date, spend: float | None, usual: float, state: WatchState, unproven: int
) -> str:
    if spend is None:
        return f"{who(day)}: {on} is not loaded yet, usually {money_text(usual, day.currency)}"
    text = f"{who(day)}: {money_text(spend, day.currency)}"
    if usual:
        text += f", usually {money_text(usual, day.currency)} ({100 * (spend / usual - 1):+.0f} %)"
    if not any(one.date == on for one in day.complete):
        text += ", not final yet"
    reported = [
        HEADS[one.kind]
        for one in state.alerts
        if one.account_id == day.account_id and one.day == on
    ]
    if reported:
        text += f". Reported: {', '.join(reported)}"
    if unproven:
        text += f". {counted(unproven, 'load')} of the last 28 days unproven"
    return text
