"""What is told, in words: a line for each account, with figure, what is usual, ads, what to do."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Final

from pipelines.escaping import escaped
from pipelines.watching.rules import OVER_BUDGET_TIMES, Kind
from warehouse.decode.hours import minute_of
from warehouse.decode.money import amount_text, money_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipelines.watching.open_day import AdShare, OpenDay
    from pipelines.watching.rules import Concern, Overspent
    from pipelines.watching.told import Alert

__all__ = ["HEADS", "apart", "began", "clock", "ended", "message", "who"]

#: Lines of one message, and characters of a name. The asset's page has all.
MOST_NAMED: Final = 10
NAME_CHARACTERS: Final = 60

#: kind → what to do.
DO: Final[Mapping[Kind, str]] = {
    Kind.FAR_AHEAD: "Check the budgets and bids of these ads, and pause what should not run.",
    Kind.STOPPED: "Check for rejected ads, a failed payment, a spend cap or a schedule that ended.",
    Kind.OVER_BUDGET: "Check the budget in Ads Manager, and what else spends in it.",
    Kind.LATE_DATA: "`fbinsights status` names why it is not loaded.",
}

#: kind → how a line about it begins.
HEADS: Final[Mapping[Kind, str]] = {
    Kind.FAR_AHEAD: "far ahead",
    Kind.STOPPED: "stopped",
    Kind.OVER_BUDGET: "over budget",
    Kind.LATE_DATA: "late data",
}

#: Levels as people call them.
_LEVELS: Final = {"campaign": "campaign", "adset": "ad set"}

_MINUTES_AN_HOUR: Final = 60


def message(lines: Sequence[str], link: str) -> str:
    """One message about all accounts."""
    more = [f"and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    return "\n".join(["fbinsights: today", *lines[:MOST_NAMED], *more, *filter(None, [link])])


def began(concern: Concern, ads: Sequence[AdShare] = ()) -> str:
    """The line about something that began. `ads`: those that explain it."""
    line = f"{who(concern.day)}: {HEADS[concern.kind]}. {_BEGAN[concern.kind](concern)}"
    if ads:
        line += f" {_ADS_OF[concern.kind]}: {_named(concern, ads)}."
    return f"{line} {_do(concern)}"


def ended(alert: Alert, day: OpenDay) -> str:
    """The line about something that is over."""
    return f"{who(day)}: {_why_ended(alert, day)}"


def who(day: OpenDay) -> str:
    """The account's name and key."""
    name = _short(day.name)
    return f"{name} (act_{day.account_id})" if name else f"act_{day.account_id}"


def apart(named: Sequence[tuple[str, str]]) -> Sequence[str]:
    """What objects are called, of their (name, id): only the name where that is one object's."""
    times = Counter(name for name, _ in named)
    return [
        name if name and times[name] == 1 else f"{name} {object_id}".lstrip()
        for name, object_id in named
    ]


def clock(minute: float) -> str:
    """A minute as the account's clock shows it."""
    whole = round(minute) % (24 * _MINUTES_AN_HOUR)
    return f"{whole // _MINUTES_AN_HOUR:02}:{whole % _MINUTES_AN_HOUR:02}"


def _far_ahead(concern: Concern) -> str:
    currency = concern.day.currency
    return (
        f"{money_text(concern.figure, currency)} by {clock(concern.minute)} (the account's clock),"
        f" usually {money_text(concern.usual, currency)} by then"
        f" ({concern.figure / concern.usual:.1f} x)."
    )


def _stopped(concern: Concern) -> str:
    span = f"from {clock(concern.since)} to {clock(concern.minute)} (the account's clock)"
    usual = money_text(concern.usual, concern.day.currency)
    because = f" The cause: {concern.cause}." if concern.cause else ""
    return f"Nothing was spent {span}, usually {usual}.{because}"


def _over_budget(concern: Concern) -> str:
    currency = concern.day.currency
    over = concern.over[:_MOST_BUDGETS]
    names = apart([(_short(one.budget.name), one.budget.object_id) for one in over])
    shown = [_overspent(*each, currency) for each in zip(names, over, strict=True)]
    more = len(concern.over) - len(shown)
    text = "; ".join([*shown, *([f"and {more} more"] if more else [])])
    return f"{text[:1].upper()}{text[1:]}."


_MOST_BUDGETS: Final = 3


def _overspent(name: str, one: Overspent, currency: str) -> str:
    budget = one.budget
    kind = "daily budget" if budget.daily else "share for today of a lifetime budget"
    return (
        f"{_LEVELS[budget.level]} {name} has spent"
        f" {money_text(budget.spent, currency)}, {budget.spent / one.allows:.1f} x its {kind} of"
        f" {money_text(one.allows, currency)} (on a day Meta may spend {OVER_BUDGET_TIMES:g} x)"
    )


def _late_data(concern: Concern) -> str:
    return (
        f"What is known of today is from {clock(concern.since)} (the account's clock),"
        f" {_minutes(concern.figure)} ago; it should be at most {_minutes(concern.usual)} old."
    )


_BEGAN: Final = {
    Kind.FAR_AHEAD: _far_ahead,
    Kind.STOPPED: _stopped,
    Kind.OVER_BUDGET: _over_budget,
    Kind.LATE_DATA: _late_data,
}

_ADS_OF: Final[Mapping[Kind, str]] = {
    Kind.FAR_AHEAD: "Most of the difference",
    Kind.STOPPED: "Ads that usually spend then",
}


def _named(concern: Concern, ads: Sequence[AdShare]) -> str:
    currency, shown = concern.day.currency, []
    names = apart([(_short(ad.name or ""), ad.ad_id) for ad in ads])
    for name, ad in zip(names, ads, strict=True):
        figure = money_text(ad.usual, currency)
        if concern.kind is not Kind.STOPPED:
            figure = f"{amount_text(ad.spent, currency)} instead of {figure}"
        shown.append(f"{name} ({figure})")
    return ", ".join(shown)


def _do(concern: Concern) -> str:
    return "" if concern.cause else DO[concern.kind]


def _why_ended(alert: Alert, day: OpenDay) -> str:
    if not day.may_spend:
        return f"the account is no longer active. Reported before: {HEADS[alert.kind]}."
    if alert.kind is Kind.STOPPED:
        since = clock(minute_of(day.zone, day.today, alert.since))
        return f"spends again. It had spent nothing since {since}."
    if alert.kind is Kind.LATE_DATA:
        return "data is up to date again."
    if final := _final(alert.day, day):
        spent, usual = (money_text(one, day.currency) for one in final)
        return f"{alert.day}, reported as {HEADS[alert.kind]}, ended at {spent}, usually {usual}."
    return f"no longer {HEADS[alert.kind]}: {money_text(day.spent, day.currency)} so far today."


def _final(on: date, day: OpenDay) -> tuple[float, float] | None:
    """What a past day has spent in the end, and what is usual."""
    found = next((one.spend for one in day.complete if one.date == on), None)
    others = [one.spend for one in day.complete if one.date != on]
    return None if found is None or not others else (found, median(others))


def _short(name: str) -> str:
    shown = name if len(name) <= NAME_CHARACTERS else f"{name[: NAME_CHARACTERS - 1]}…"
    return escaped(shown)


def _minutes(minutes: float) -> str:
    whole = round(minutes)
    hours, rest = divmod(whole, _MINUTES_AN_HOUR)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
