"""A second look, at Graph itself, before anybody is told: budgets are edited without a trace, and
what was paused on purpose needs none.

Only for accounts about to be told: a call for each budget and its schedules, three for an account
that stopped.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.errors import NotFoundError, PermissionDeniedError, RequestError
from pipelines.watching.rules import Kind, Overspent, allowed_today, over_budget
from warehouse.decode.money import is_no_limit, offset_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fbgraph import GraphClient
    from pipelines.watching.open_day import OpenDay
    from pipelines.watching.rules import Concern

__all__ = ["confirmed", "scheduled"]

#: accounts.account_status → why such an account does not spend. Source: Marketing API, Ad Account.
WHY_NOT: Final[Mapping[int, str]] = {
    2: "Meta has disabled the account",
    3: "the account is unsettled: a payment failed",
    7: "Meta is reviewing the account's risk",
    8: "the account is pending settlement: a payment is due",
    9: "the account is in its grace period: a payment failed",
    100: "the account is being closed",
    101: "the account is closed",
}

_BUDGET: Final = ("daily_budget", "lifetime_budget", "budget_remaining")


def confirmed(client: GraphClient, concern: Concern) -> Concern | None:
    """The concern as Graph has it now; None if it is none. Raises GraphError."""
    if concern.kind is Kind.OVER_BUDGET:
        checked = [_read_again(client, concern.day, one) for one in concern.over]
        return over_budget(concern.day, checked)
    if concern.kind is Kind.STOPPED:
        return _still_to_run(client, concern)
    return concern


# -- budgets -----------------------------------------------------------------------------------


def _read_again(client: GraphClient, day: OpenDay, one: Overspent) -> Overspent:
    """A budget as it is now. One that was lowered today does not make wrong what was right."""
    budget, minor = one.budget, offset_of(day.currency)
    node = client.node(budget.object_id, kind=budget.level, account_id=day.account_id)
    row = node.get(list(_BUDGET))
    daily, lifetime, remaining = (_money(row.get(name), minor) for name in _BUDGET)
    now = replace(budget, daily=daily, lifetime=lifetime, remaining=remaining)
    try:
        schedules = list(
            client.node(budget.object_id, account_id=day.account_id).edge(
                "budget_schedules", fields=_SCHEDULE
            )
        )
    except (NotFoundError, PermissionDeniedError, RequestError):  # it can have none
        schedules = []
    allows = max(one.allows, allowed_today(day, now) or one.allows)
    return Overspent(now, scheduled(allows, schedules, day))


_SCHEDULE: Final = ("id", "budget_value", "budget_value_type", "time_start", "time_end")

#: A multiplier below this is a factor, and else in percent: Meta's documentation has both.
_PERCENT: Final = 10


def scheduled(allows: float, schedules: list[Any], day: OpenDay) -> float:
    """What a budget allows on a day with its schedules of high demand. An absolute one may
    replace the budget or be added to it: what allows more counts, so that nobody is told too much.
    """
    minor, most = offset_of(day.currency), allows
    begins = day.now - timedelta(minutes=day.minute)
    for schedule in schedules:
        start, end = (_instant(schedule.get(name)) for name in ("time_start", "time_end"))
        if (start and start > day.now) or (end and end <= begins):
            continue
        value = float(schedule.get("budget_value") or 0)
        if schedule.get("budget_value_type") == "MULTIPLIER":
            factor = value if value < _PERCENT else 1 + value / 100
            most = max(most, allows * factor)
        else:
            most = max(most, allows + value / minor)
    return most


# -- what stopped ------------------------------------------------------------------------------


def _still_to_run(client: GraphClient, concern: Concern) -> Concern | None:
    """What stopped though it should run, with the cause if Graph has one; None if it was paused, if
    its schedule has ended, or if it runs at chosen hours.
    """
    day = concern.day
    account = client.account(day.account_id)
    row = account.get(["account_status", "spend_cap", "amount_spent"])
    if cause := WHY_NOT.get(int(row.get("account_status") or 1)):
        return replace(concern, cause=cause)
    cap = str(row.get("spend_cap") or "0")
    if cap != "0" and not is_no_limit(cap) and int(row.get("amount_spent") or 0) >= int(cap):
        return replace(concern, cause="the account's spend cap is reached")
    campaigns = {
        one["id"]
        for one in account.edge("campaigns", fields=["id", "stop_time"], effective_status=_ACTIVE)
        if _is_running(one, day.now, "stop_time")
    }
    fields = ["id", "campaign_id", "start_time", "end_time", "pacing_type"]
    for adset in account.edge("adsets", fields=fields, effective_status=_ACTIVE):
        by_hours = "day_parting" in (adset.get("pacing_type") or ())
        is_running = _is_running(adset, day.now, "end_time")
        if adset.get("campaign_id") in campaigns and is_running and not by_hours:
            return concern
    return None


_ACTIVE: Final = ["ACTIVE"]


def _is_running(row: Mapping[str, Any], now: datetime, end: str) -> bool:
    start, stop = _instant(row.get("start_time")), _instant(row.get(end))
    return (start is None or start <= now) and (stop is None or now < stop)


def _money(value: object, minor: int) -> float | None:
    return float(str(value)) / minor if value not in {None, "", "0"} else None


def _instant(value: object) -> datetime | None:
    """None for a time that is not set, which Graph may also send as the epoch."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, tz=UTC) if value else None
        found = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return found if found and found.tzinfo and found.timestamp() > 0 else None
