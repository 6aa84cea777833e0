"""The published tables, read into what a page shows, by the queries next to this (`queries`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipelines.overview.queries import (
    ACCOUNTS_SQL,
    ADS_SQL,
    CAMPAIGNS_SQL,
    FAILED_SQL,
    HOURS_SQL,
    LOADS_SQL,
    NEWEST_SQL,
    NUMBERS_SQL,
    RESTATED_SQL,
)
from pipelines.overview.sums import DayNumbers, Sums
from pipelines.overview.today import TodayNumbers, open_days
from pipelines.overview.trust import DayTrust, Recorded, Trust, trust_of
from pipelines.overview.window import Window, last_days
from warehouse.decode.hours import over_at, today_in
from warehouse.lake.defects.damage import reload_command
from warehouse.schema.insights import INSIGHTS_HOURLY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from warehouse.published.opened import Warehouse

__all__ = ["AccountPage", "Ad", "Campaign", "Restated", "days_of", "pages_of", "why_nothing"]

#: How many campaigns and ads of an account a page names.
CAMPAIGNS: Final = 8
ADS: Final = 6

#: Weeks whose hours are shown.
WEEKS: Final = 8


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign in the window: sums, spend in the window before, and by day."""

    name: str
    objective: str
    status: str
    sums: Sums
    before: Decimal
    by_day: Mapping[date, Decimal]


@dataclass(frozen=True, slots=True)
class Ad:
    """An ad in the window: spend, click rate by week (oldest first, None without impressions), and
    where in the lake its thumbnail is.
    """

    name: str
    status: str
    spend: Decimal
    rates: Sequence[float | None]
    thumbnail: str


class Restated(NamedTuple):
    """By how much the spend of a day changed after it was first loaded, when it was over."""

    before: Decimal
    after: Decimal


@dataclass(slots=True)
class AccountPage:
    """All that a page says of one account. `today`: its date when something was last loaded;
    `date_now`: when the page is made. `is_behind`: days after its window were over when something
    was last loaded, and no account has any of them.
    """

    account_id: str
    name: str
    currency: str
    zone: str
    window: Window
    today: date
    date_now: date
    numbers: dict[date, DayNumbers] = field(default_factory=dict)
    trust: dict[date, DayTrust] = field(default_factory=dict)
    campaigns: Sequence[Campaign] = ()
    ads: Sequence[Ad] = ()
    hours: Mapping[tuple[int, int], float] = field(default_factory=dict)
    hour_days: int = 0
    restated: dict[date, Restated] = field(default_factory=dict)
    newest: datetime | None = None
    open_day: TodayNumbers | None = None
    is_behind: bool = False

    @property
    def shown_trust(self) -> Sequence[DayTrust]:
        """What is known of each day of the window, oldest first."""
        return [self.trust[day] for day in self.window.days]

    def without_results(self, window: Window) -> Sequence[date]:
        """Days that have delivery, and whose purchases are not loaded."""
        days = (day for day in window.days if day in self.numbers)
        return [day for day in days if self.numbers[day].purchases is None]

    @property
    def was_tried(self) -> bool:
        """Whether a day of it was loaded, or failed in the window."""
        found = (one for day, one in self.trust.items() if day in self.window)
        return self.is_loaded or any(one.trust is Trust.FAILED for one in found)

    @property
    def is_loaded(self) -> bool:
        """Whether any day of it has ever been loaded."""
        return self.newest is not None


def pages_of(
    opened: Warehouse,
    now: datetime,
    chosen: Window | None,
    account_ids: Collection[str] = (),
) -> Sequence[AccountPage]:
    """What to say of each account, or of these (digits): those with most impressions first, then by
    name. `chosen`: these days of all accounts, instead of the last ones that were over at the
    newest load and that any account has.
    """
    pages = _empty_pages(opened, now, chosen, account_ids)
    loaded = {key: page for key, page in pages.items() if page.is_loaded}
    if loaded:
        _fill(opened, loaded)
        others = {key: page for key, page in pages.items() if not page.is_loaded}
        _fill_days(opened, others, _spans(pages))
        for account_id, open_day in open_days(opened).items():
            if account_id in loaded:
                loaded[account_id].open_day = open_day
    return sorted(pages.values(), key=_shown_in_window, reverse=True)


def _shown_in_window(page: AccountPage) -> int:
    """Impressions: what accounts of any currency can be ordered by."""
    return sum(page.numbers[day].impressions for day in page.window.days if day in page.numbers)


def days_of(
    opened: Warehouse, now: datetime, chosen: Window, account_ids: Collection[str]
) -> Sequence[AccountPage]:
    """The same accounts with what is known of these days alone: numbers, trust, restatements."""
    pages = _empty_pages(opened, now, chosen, account_ids)
    if pages:
        _fill_days(opened, pages, {"since": chosen.before.since, "until": chosen.until})
    return list(pages.values())


def _empty_pages(
    opened: Warehouse, now: datetime, chosen: Window | None, account_ids: Collection[str]
) -> dict[str, AccountPage]:
    [(newest, last)] = opened.sql(NEWEST_SQL).fetchall()
    at = newest.astimezone(UTC) if newest else now
    pages = {}
    for account_id, name, currency, zone, newest_load, first in opened.sql(ACCOUNTS_SQL).fetchall():
        if account_ids and account_id not in account_ids:
            continue
        window = chosen or last_days(zone, at, last)
        is_behind = chosen is None and window != last_days(zone, at)
        if chosen is None and first is not None and first in window:
            window = Window(first, window.until)  # what was before was never wanted
        pages[account_id] = AccountPage(
            *(account_id, name, currency, zone, window, today_in(zone, at), today_in(zone, now)),
            newest=newest_load and newest_load.astimezone(UTC),
            is_behind=is_behind,
        )
    return pages


def why_nothing(opened: Warehouse) -> str:
    """Why nothing is loaded and what to do, if a load was tried; otherwise ""."""
    rows = opened.sql(FAILED_SQL).fetchall()
    if not rows:
        return ""
    [(reason, command)] = rows
    return (
        f"No load has succeeded so far. The newest day failed: {reason} Load it again with:"
        f" {command}. All other failures: fbinsights status"
    )


def _spans(pages: Mapping[str, AccountPage]) -> Mapping[str, date]:
    since = min(page.window.before.since for page in pages.values())
    until = max(max(page.window.until, page.today) for page in pages.values())
    return {"since": since, "until": until}


def _fill(opened: Warehouse, pages: Mapping[str, AccountPage]) -> None:
    spans = _spans(pages)
    _fill_days(opened, pages, spans)
    _campaigns(opened, pages, spans)
    _ads(opened, pages)
    _hours(opened, pages, max(page.window.until for page in pages.values()))


def _fill_days(
    opened: Warehouse, pages: Mapping[str, AccountPage], spans: Mapping[str, date]
) -> None:
    for account_id, day, *numbers in _rows(opened, NUMBERS_SQL, spans):
        if page := pages.get(account_id):
            page.numbers[day] = DayNumbers(*numbers)
    recorded: dict[tuple[str, date], Recorded] = {}
    for account_id, day, *rest in _rows(opened, LOADS_SQL, spans):
        recorded[account_id, day] = Recorded(*(rest[0] or "", rest[1] or "", *rest[2:]))
    for page in pages.values():
        for day in [*page.window.before.days, *page.window.days]:
            reload = reload_command(INSIGHTS_HOURLY.name, page.account_id, day)
            page.trust[day] = trust_of(day, recorded.get((page.account_id, day)), reload)
    _restated(opened, pages, spans)


def _hours(opened: Warehouse, pages: Mapping[str, AccountPage], until: date) -> None:
    hours: dict[str, dict[tuple[int, int], float]] = defaultdict(dict)
    weeks = {"since": until - timedelta(weeks=WEEKS), "until": until}
    days: Counter[str] = Counter()
    for account_id, weekday, hour, spend, number in _rows(opened, HOURS_SQL, weeks):
        hours[account_id][weekday, hour] = spend
        days[account_id] += number if hour == 0 else 0
    for account_id, page in pages.items():
        page.hours, page.hour_days = hours[account_id], days[account_id]


def _restated(
    opened: Warehouse, pages: Mapping[str, AccountPage], spans: Mapping[str, date]
) -> None:
    counts: dict[tuple[str, date], str] = {}
    for account_id, day, table, first, before, after in _rows(opened, RESTATED_SQL, spans):
        page = pages.get(account_id)
        if not page or first.astimezone(UTC) < over_at(page.zone, day):
            continue  # an open day only grows
        if counts.setdefault((account_id, day), table) == table:
            old = page.restated.get(day)
            page.restated[day] = Restated(old.before if old else before, after)


def _campaigns(
    opened: Warehouse, pages: Mapping[str, AccountPage], spans: Mapping[str, date]
) -> None:
    found: dict[str, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for account_id, campaign_id, *rest in _rows(opened, CAMPAIGNS_SQL, spans):
        found[account_id][campaign_id].append(tuple(rest))
    for account_id, page in pages.items():
        campaigns = [_campaign(page, rows) for rows in found[account_id].values()]
        spending = [one for one in campaigns if one.sums.spend or one.before]
        page.campaigns = sorted(spending, key=lambda one: (-one.sums.spend, one.name))[:CAMPAIGNS]


def _campaign(page: AccountPage, rows: Sequence[tuple[Any, ...]]) -> Campaign:
    """From (date, name, objective, status, spend, impressions, clicks, purchases, their value)."""
    inside = [row for row in rows if row[0] in page.window]
    newest = max(rows, key=lambda row: row[0])
    return Campaign(
        name=newest[1] or "",
        objective=newest[2] or "",
        status=newest[3] or "",
        sums=Sums.of(_numbers(page, row) for row in inside),
        before=sum((row[4] for row in rows if row[0] in page.window.before), Decimal()),
        by_day={row[0]: row[4] for row in inside},
    )


def _numbers(page: AccountPage, row: Sequence[Any]) -> DayNumbers:
    """No purchases are 0 where the account's results of the day are loaded."""
    day, *_, spend, impressions, clicks, purchases, value = row
    numbers = page.numbers.get(day)
    if numbers is None or numbers.purchases is None:
        return DayNumbers(spend, impressions, clicks)
    return DayNumbers(spend, impressions, clicks, purchases or Decimal(), value or Decimal())


def _ads(opened: Warehouse, pages: Mapping[str, AccountPage]) -> None:
    windows = [page.window for page in pages.values()]
    asked = {
        "since": min(window.since for window in windows),
        "until": max(window.until for window in windows),
        "ids": list(pages),
        "firsts": [window.since for window in windows],
        "lasts": [window.until for window in windows],
        "ads": ADS,
    }
    found: dict[str, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for account_id, ad_id, *rest in _rows(opened, ADS_SQL, asked):
        found[account_id][ad_id].append(tuple(rest))
    for account_id, page in pages.items():
        page.ads = [_ad(page.window, rows) for rows in found[account_id].values()]


def _ad(window: Window, rows: Sequence[tuple[Any, ...]]) -> Ad:
    """From (name, spend, status, thumbnail, date, impressions, clicks), one for each day."""
    name, spend, status, path = rows[0][:4]
    weeks: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for *_, day, impressions, clicks in rows:
        if day in window:
            week = weeks[(window.until - day).days // 7]
            week[0] += impressions
            week[1] += clicks
    number = -(-len(window.days) // 7)
    rates = [weeks[n][1] / weeks[n][0] if weeks[n][0] else None for n in reversed(range(number))]
    return Ad(name or "", status or "", spend, rates, path or "")


def _rows(opened: Warehouse, query: str, given: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    return opened.sql(query, given).fetchall()
