"""A second look, at Graph itself, before anybody is told: budgets are edited at any time, and what
was paused on purpose needs no alert.

Only for accounts about to be told: a call for each budget and its schedules and one for what was
done to budgets today, three for an account that stopped.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from fbgraph.errors import NotFoundError, PermissionDeniedError, RequestError
from pipelines.watching.rules import Kind, Overspent, allowed_today, over_budget
from warehouse.decode.activities import described
from warehouse.decode.money import is_no_limit, offset_of
from warehouse.decode.values import UnreadableError

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
    """The concern as Graph has it now; None if it no longer holds. Raises GraphError, and
    UnreadableError for a number that cannot be read.
    """
    if concern.kind is Kind.OVER_BUDGET:
        edited = _edited_today(client, concern.day)
        checked = [_read_again(client, concern.day, one, edited) for one in concern.over]
        return over_budget(concern.day, [one for one in checked if one])
    if concern.kind is Kind.STOPPED:
        return _still_to_run(client, concern)
    return concern


# -- budgets -----------------------------------------------------------------------------------


def _read_again(
    client: GraphClient, day: OpenDay, one: Overspent, edited: Mapping[str, float]
) -> Overspent | None:
    """A budget with the most that it has allowed today: what was spent before it was lowered was
    within it. None if the object has no budget any more: it was moved, and nobody can say what was
    spent under which.
    """
    budget, minor = one.budget, offset_of(day.currency)
    node = client.node(budget.object_id, kind=budget.level, account_id=day.account_id)
    row = node.get(list(_BUDGET))
    daily, lifetime, remaining = (_money(row.get(name), minor) for name in _BUDGET)
    if not daily and not lifetime:
        return None
    most = edited.get(budget.object_id, 0.0)
    now = replace(
        budget,
        daily=daily and max(daily, most),
        lifetime=lifetime and max(lifetime, most),
        remaining=remaining,
    )
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


def _edited_today(client: GraphClient, day: OpenDay) -> Mapping[str, float]:
    """By object, the largest budget that it has had before or after an edit of today."""
    edge = client.account(day.account_id).edge(
        "activities",
        fields=["event_time", "event_type", "object_id", "extra_data"],
        category="BUDGET",
        since=int(day.midnight.timestamp()),
        until=int(day.now.timestamp()),
    )
    most: dict[str, float] = {}
    try:
        rows = [described(row) for row in edge if row.get("event_type") in _BUDGET_EDITS]
    except (PermissionDeniedError, RequestError):  # what the lake has seen of budgets must do
        return most
    for row in rows:
        object_id = str(row.get("object_id"))
        for amount in (row["old_value"], row["new_value"]):
            if amount and row["currency"] == day.currency:
                with suppress(ValueError):  # a word, not an amount
                    most[object_id] = max(most.get(object_id, 0.0), float(amount))
    return most


#: Source: facebook-business 26.0.3, AdActivity.EventType.
_BUDGET_EDITS: Final = frozenset({"update_campaign_budget", "update_ad_set_budget"})

_SCHEDULE: Final = ("id", "budget_value", "budget_value_type", "time_start", "time_end")

#: A multiplier below this is a factor, and else in percent: Meta's documentation has both.
_PERCENT: Final = 10


def scheduled(allows: float, schedules: list[Any], day: OpenDay) -> float:
    """What a budget allows on a day with its schedules of high demand. An absolute one may
    replace the budget or be added to it: what allows more counts, so that nobody is told too much.
    """
    minor, most = offset_of(day.currency), allows
    for schedule in schedules:
        start, end = (_instant(schedule.get(name)) for name in ("time_start", "time_end"))
        if (start and start > day.now) or (end and end <= day.midnight):
            continue
        value = _number(schedule.get("budget_value")) or 0.0
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
    if cause := WHY_NOT.get(int(_number(row.get("account_status")) or 1)):
        return replace(concern, cause=cause)
    cap = None if is_no_limit(row.get("spend_cap")) else _number(row.get("spend_cap"))
    if cap and (_number(row.get("amount_spent")) or 0.0) >= cap:
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


def _money(minor_units: object, minor: int) -> float | None:
    """Major units; None for a budget that is not set, which Meta also sends as 0."""
    return (_number(minor_units) or 0.0) / minor or None


def _number(value: object) -> float | None:
    """None for a number that Graph leaves out. Raises UnreadableError."""
    try:
        return None if value in {None, ""} else float(str(value))
    except (TypeError, ValueError):
        raise UnreadableError(f"not a number: {value!r}") from None


def _instant(value: object) -> datetime | None:
    """None for a time that is not set, which Graph may also send as the epoch."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, tz=UTC) if value else None
        found = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return found if found and found.tzinfo and found.timestamp() > 0 else None
