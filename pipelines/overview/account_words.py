"""What the page says of one account, as texts and small pictures. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.overview.drawing import levels, sparkline
from pipelines.overview.sums import DayNumbers, Sums, per
from pipelines.overview.today import words_of_today
from pipelines.overview.trust import BAD, Trust
from pipelines.overview.wording import NONE, amount, change, money, percent, ratio
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from pipelines.overview.reading import AccountPage, Ad, Campaign
    from pipelines.overview.today import TodayWords
    from pipelines.overview.window import Window

__all__ = ["AccountWords", "words_of"]

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: An ad is tiring if its click rate is below this share of its own best week.
TIRED: Final = 2 / 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A large number. `meaning`: whether "more" is better, worse or neither (plain). `note`: what
    it leaves out.
    """

    label: str
    value: str
    change: float | None
    meaning: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AccountWords:
    """What the template shows of an account."""

    id: str
    name: str
    place: str
    currency: str
    line: str
    tone: str
    completeness: str
    figures: Sequence[Figure]
    loaded: str
    span: str
    length: str
    described: Mapping[str, str]
    no_results: str
    days: Sequence[Mapping[str, Any]]
    week: Mapping[str, Any]
    campaigns: Sequence[Mapping[str, Any]]
    ads: Sequence[Mapping[str, Any]]
    today: TodayWords


def words_of(page: AccountPage, picture: Callable[[str], str]) -> AccountWords:
    """All texts of an account; `picture`: path of a thumbnail → its data URL, "" if there is
    none.
    """
    now = _sums(page, page.window)
    is_comparable = _is_complete(page, page.window) and _is_complete(page, page.window.before)
    tone, completeness = _completeness(page)
    return AccountWords(
        id=page.account_id,
        name=page.name,
        place=f"{page.currency} · {page.zone.rpartition('/')[2].replace('_', ' ')}",
        currency=page.currency,
        line=sparkline([_spend(page, day) for day in page.window.days]),
        tone=tone,
        completeness=completeness,
        figures=_figures(page, now, is_comparable=is_comparable),
        loaded=_loaded(page),
        span=str(page.window),
        length=counted(len(page.window.days), "day"),
        described=_described(page, now),
        no_results=_no_results(page),
        days=[_day(page, day) for day in reversed(page.window.days)],
        week=_week(page),
        campaigns=[
            _campaign(one, page, now, is_comparable=is_comparable) for one in page.campaigns
        ],
        ads=[_ad(one, page.currency, now, picture) for one in page.ads],
        today=words_of_today(page.open_day, page.currency, page.date_now),
    )


def _figures(page: AccountPage, now: Sums, *, is_comparable: bool) -> Sequence[Figure]:
    """The figures on top, each with its change where both windows are comparable."""
    before = _sums(page, page.window.before)
    has_results = not any(map(page.without_results, (page.window, page.window.before)))

    def moved(value: Any, earlier: Any) -> float | None:
        return change(value, earlier) if is_comparable else None

    def result(value: Any, earlier: Any) -> float | None:
        return moved(value, earlier) if has_results else None

    is_known = any(_spend(page, day) is not None for day in page.window.days)
    spend = money(now.spend, page.currency) if is_known else NONE
    return (
        Figure("Spend", spend, moved(now.spend, before.spend), "plain"),
        Figure(
            *("Purchases", amount(now.purchases), result(now.purchases, before.purchases), "more"),
            note=_partly(page) if now.purchases is not None else "",
        ),
        Figure(
            *("Cost per purchase", money(now.cpa, page.currency), result(now.cpa, before.cpa)),
            "less",
        ),
        Figure("ROAS", ratio(now.roas), result(now.roas, before.roas), "more"),
        Figure("Click rate", percent(now.ctr), moved(now.ctr, before.ctr), "more"),
        Figure("Cost per 1,000", money(now.cpm, page.currency), moved(now.cpm, before.cpm), "less"),
    )


def _sums(page: AccountPage, window: Window) -> Sums:
    return Sums.of(numbers for day, numbers in page.numbers.items() if day in window)


def _is_complete(page: AccountPage, window: Window) -> bool:
    return not any(page.trust[day].trust in {*BAD, Trust.NOT_OVER} for day in window.days)


def _spend(page: AccountPage, day: date) -> float | None:
    """None for a day that is not loaded; 0 for a loaded one without delivery."""
    if day in page.numbers:
        return float(page.numbers[day].spend)
    return None if page.trust[day].trust in {Trust.MISSING, Trust.FAILED} else 0.0


def _completeness(page: AccountPage) -> tuple[str, str]:
    """Its colour and words: "complete" only where it would not turn the box on top amber."""
    found = [one.trust for one in page.shown_trust]
    missing = sum(one in {Trust.MISSING, Trust.FAILED} for one in found)
    differing = found.count(Trust.DIFFERS)
    if missing:
        return "bad", f"{counted(missing, 'day')} missing"
    if differing:
        return "doubtful", f"{counted(differing, 'day')} differ{'s' if differing == 1 else ''}"
    if open_days := found.count(Trust.NOT_OVER):
        return "doubtful", f"{counted(open_days, 'day')} not over"
    if without_total := found.count(Trust.UNPROVABLE):
        return "doubtful", f"{counted(without_total, 'day')} without a total"
    if without_results := page.without_results(page.window):
        return "doubtful", f"purchases of {counted(len(without_results), 'day')} not known"
    return "good", "complete"


def _loaded(page: AccountPage) -> str:
    days = page.window.days
    idle = sum(_spend(page, day) == 0 and not _delivered(page.numbers.get(day)) for day in days)
    missing = sum(_spend(page, day) is None for day in days)
    parts = [f"{page.window}, {len(days) - missing} of {counted(len(days), 'day')} loaded"]
    if idle:
        parts.append(f"{idle} of them without delivery (zero, not a gap)")
    return ", ".join(parts) + ". Purchases of the last days still grow."


def _delivered(numbers: DayNumbers | None) -> bool:
    return numbers is not None and numbers.impressions > 0


def _partly(page: AccountPage) -> str:
    """For how many days purchases are known; "" if for all."""
    without = len(page.without_results(page.window))
    number = sum(day in page.numbers for day in page.window.days)
    return f"of {number - without} of {counted(number, 'day')}" if without else ""


def _no_results(page: AccountPage) -> str:
    without = page.without_results(page.window)
    if not without:
        return ""
    many = (
        "Purchases are"
        if len(without) == len(page.window.days)
        else (f"Purchases of {counted(len(without), 'day')} are")
    )
    return (
        f"{many} not known: results come from the report insights_daily, which is not loaded for"
        f" them. Load it with: fbinsights backfill --report insights_daily --since"
        f" {min(without)} --until {max(without)} --account act_{page.account_id}"
    )


def _described(page: AccountPage, now: Sums) -> Mapping[str, str]:
    of = f"{page.name}, {page.window}"
    return {
        "spend": f"Bars of spend a day, {of}: {money(now.spend, page.currency)} in all",
        "purchases": f"Bars of purchases a day, {of}: {amount(now.purchases)} in all",
        "roas": f"Line of ROAS over seven days, {of}: {ratio(now.roas)} over all",
    }


def _day(page: AccountPage, day: date) -> Mapping[str, Any]:
    trust = page.trust[day]
    numbers = page.numbers.get(day)
    if numbers is None and _spend(page, day) is not None:
        numbers = DayNumbers()
    cells = [NONE] * 5
    if numbers is not None:
        cells = [
            money(numbers.spend, page.currency, exact=True),
            *(amount(numbers.impressions), amount(numbers.clicks), amount(numbers.purchases)),
            money(numbers.purchase_value, page.currency, exact=True),
        ]
    return {"date": f"{day:%a} {day}", "cells": cells, "state": str(trust.trust)}


def _week(page: AccountPage) -> Mapping[str, Any]:
    hours = page.hours
    if not hours:
        return {
            "words": "The hours of this account are not known. Load them with: fbinsights backfill"
            f" --report insights_hourly --since {page.window.since} --until {page.window.until}"
            f" --account act_{page.account_id}",
            "rows": [],
        }
    if not any(hours.values()):
        return {
            "words": f"No hour of the week usually has spend: the median of each is zero, over"
            f" {counted(page.hour_days, 'day')} whose hours are loaded.",
            "rows": [],
        }
    groups = levels(hours)
    known = {weekday for weekday, _ in hours}
    rows = [
        {
            "name": WEEKDAYS[weekday - 1],
            "cells": [
                {
                    "kind": f"s{groups[weekday, hour]}" if weekday in known else "missing",
                    "title": _hour(page, weekday, hour),
                }
                for hour in range(24)
            ],
        }
        for weekday in range(1, 8)
    ]
    words = (
        f"Median spend of each hour over the {counted(page.hour_days, 'day')} whose hours are"
        " loaded, of the last eight weeks, by the account's own clock. The shades are six equal"
        " groups of this account's own hours: compare them within this account only."
    )
    return {"words": words, "rows": rows, "is_partial": len(known) < len(WEEKDAYS)}


def _hour(page: AccountPage, weekday: int, hour: int) -> str:
    spend = page.hours.get((weekday, hour))
    usual = "not loaded" if spend is None else f"usually {money(spend, page.currency, exact=True)}"
    return f"{WEEKDAYS[weekday - 1]} {hour:02}:00, {usual}"


def _campaign(
    one: Campaign, page: AccountPage, now: Sums, *, is_comparable: bool
) -> Mapping[str, Any]:
    kind = " · ".join(filter(None, (_readable(one.objective), _readable(one.status))))
    loaded = page.window.days
    line = [None if _spend(page, day) is None else float(one.by_day.get(day, 0)) for day in loaded]
    return {
        "name": one.name,
        "kind": kind,
        "spend": money(one.sums.spend, page.currency),
        "share": percent(per(one.sums.spend, now.spend), 0),
        "change": change(one.sums.spend, one.before) if is_comparable else None,
        "is_new": is_comparable and not one.before,
        "ctr": percent(one.sums.ctr),
        "purchases": amount(one.sums.purchases),
        "roas": ratio(one.sums.roas),
        "line": sparkline(line),
    }


def _ad(one: Ad, currency: str, now: Sums, picture: Callable[[str], str]) -> Mapping[str, Any]:
    best = max((rate for rate in one.rates if rate is not None), default=None)
    newest = one.rates[-1] if one.rates else None
    if newest is None or not best:
        rate, tired = "not shown in the last 7 days", False
    else:
        tired = newest < TIRED * best
        rate = f"{percent(newest)}, {percent(newest / best, 0)} of its best"
    shown = (
        money(one.spend, currency),
        percent(per(one.spend, now.spend), 0),
        _readable(one.status),
    )
    return {
        "name": one.name,
        "spend": " · ".join(filter(None, shown)),
        "line": sparkline(one.rates),
        "rate": rate,
        "is_tired": tired,
        "picture": picture(one.thumbnail) if one.thumbnail else "",
    }


def _readable(constant: str) -> str:
    """`OUTCOME_SALES` → Sales."""
    return constant.removeprefix("OUTCOME_").replace("_", " ").capitalize()
