"""The numbers that the page's charts draw, as columns. The specifications are in `assets/`. No
I/O.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipelines.overview.sums import DayNumbers, Sums
from pipelines.overview.today import hours_of
from pipelines.overview.trust import Trust
from pipelines.overview.wording import amount, money, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipelines.overview.reading import AccountPage

__all__ = ["columns_of"]

ROLLING: Final = timedelta(days=6)

#: Days of these are not drawn: there is nothing to draw, which is not zero.
GAPS: Final = frozenset({Trust.MISSING, Trust.FAILED})


def columns_of(page: AccountPage) -> Mapping[str, Mapping[str, Sequence[Any]]]:
    """Named data of an account: `days`, of the window, the one before and today so far; `hours` of
    its open day.
    """
    days = [*page.window.before.days, *page.window.days]
    if page.today > page.window.until and page.today in page.numbers:
        days.append(page.today)
    rows = [_day(page, day) for day in days]
    named: dict[str, Mapping[str, Sequence[Any]]] = {}
    named["days"] = {name: [row[name] for row in rows] for name in rows[0]}
    if page.open_day:
        named["hours"] = hours_of(page.open_day, page.currency)
    return named


def _day(page: AccountPage, day: date) -> Mapping[str, Any]:
    trust = page.trust.get(day)
    numbers = page.numbers.get(day)
    is_gap = trust is not None and trust.trust in GAPS and numbers is None
    if numbers is None and not is_gap:
        numbers = DayNumbers()  # loaded, and nothing was delivered: zero, not a gap
    roas = _rolling(page, day) if day <= page.window.until else None
    return {
        "date": str(day),
        "kind": "gap" if is_gap else _kind(page, day),
        "spend": None if numbers is None else float(numbers.spend),
        "purchases": _number(numbers),
        "roas": roas,
        "says": _says(page, day, numbers, roas),
    }


def _number(numbers: DayNumbers | None) -> float | None:
    known = numbers.purchases if numbers else None
    return None if known is None else float(known)


def _kind(page: AccountPage, day: date) -> str:
    if day > page.window.until:
        return "open"
    if page.trust[day].trust is Trust.DIFFERS:
        return "differs"
    return "now" if day in page.window else "before"


def _rolling(page: AccountPage, day: date) -> float | None:
    """ROAS of seven days; None if one of them is not loaded."""
    days = [day - n * timedelta(days=1) for n in range(ROLLING.days + 1)]
    if any(one not in page.trust or page.trust[one].trust in GAPS for one in days):
        return None
    return Sums.of(page.numbers[one] for one in days if one in page.numbers).roas


def _says(page: AccountPage, day: date, numbers: DayNumbers | None, roas: float | None) -> str:
    when = f"{day:%a} {day.day} {day:%b}"
    if numbers is None:
        return f"{when}: {page.trust[day].trust}"
    parts = [money(numbers.spend, page.currency, exact=True)]
    if numbers.purchases is not None:
        parts.append(f"{amount(numbers.purchases)} purchases")
    if roas is not None:
        parts.append(f"ROAS {ratio(roas)} over 7 days")
    if day > page.window.until:
        parts.append("the day goes on")
    elif page.trust[day].trust is Trust.DIFFERS:
        parts.append(str(page.trust[day].trust))
    return f"{when}: {', '.join(parts)}"
