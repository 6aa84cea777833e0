"""One look at today: reads the published file, decides, confirms with Graph, tells what is new."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import warehouse
from fbgraph.errors import ENDS_EVERYTHING, GraphError
from pipelines.state.intraday import known_of
from pipelines.watching import message
from pipelines.watching.ahead import LEAST_DAYS
from pipelines.watching.confirming import confirmed
from pipelines.watching.digest import digest_due, digest_text, unproven_days
from pipelines.watching.history import ad_shares, open_days
from pipelines.watching.rules import CONFIRMED, Kind, concerns_of, has_ended
from pipelines.watching.told import Alert, keep_watched, watched_of, with_counts
from warehouse.decode.hours import minute_of
from warehouse.decode.money import offset_of
from warehouse.decode.values import UnreadableError
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fbgraph import GraphClient
    from pipelines.settings import Settings
    from pipelines.watching.open_day import AdShare, OpenDay
    from pipelines.watching.rules import Concern
    from pipelines.watching.told import WatchState
    from warehouse.lake.partitions import Lake
    from warehouse.published.opened import Warehouse

__all__ = ["WatchResult", "ads_of", "watch"]

#: The look follows the tick at once; what was listed longer ago was not listed by it.
COUNT_IS_OF_NOW: Final = timedelta(minutes=30)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class WatchResult:
    """What a look has found: how many `accounts` were looked at, and how many of them have too few
    complete days to compare spend with (`too_new`); by kind, what each account's line says as long
    as it holds; the `news` since the last look, and whether they were delivered.
    """

    accounts: int = 0
    too_new: int = 0
    lines: dict[Kind, dict[str, str]] = field(default_factory=lambda: {one: {} for one in Kind})
    news: list[str] = field(default_factory=list)
    delivered: bool = True

    def __str__(self) -> str:
        """What it comes to where there is no news."""
        going_on = sum(map(len, self.lines.values()))
        found = "nothing unusual"
        if going_on:
            found = f"nothing new; {counted(going_on, 'alert is', 'alerts are')} not over"
        few = f"fewer than {LEAST_DAYS} complete days to compare spend with"
        new = f" {counted(self.too_new, 'account has', 'accounts have')} {few}."
        seen = f"{counted(self.accounts, 'account')} looked at: {found}."
        return seen + (new if self.too_new else "")


def watch(  # noqa: PLR0913  # what it reads, and whom it tells
    lake: Lake,
    settings: Settings,
    client: GraphClient | None,
    now: datetime,
    *,
    send: Callable[[str], bool] | None,
    link: str = "",
    interval_minutes: float = 60.0,
) -> WatchResult:
    """Look at every account's open day, after a tick, and tell what is new by `send`, which says
    whether it was delivered; what was not is told at the next look. Without `send` nothing is told
    or kept: somebody only wants to know.

    Without a `client` nothing is confirmed, so nothing that needs it is told. `link`: the page that
    a message ends with. `interval_minutes`: between two looks. Raises WarehouseError, OSError, and
    what ends everything.
    """
    with warehouse.open(lake.store.name()) as opened:
        state = _noted(lake, opened, now, is_kept=send is not None)
        days = open_days(opened, now, state.counters)
        look = _Look(opened, client, settings.watched, interval_minutes, state, now)
        for day in days:
            look.at(day)
        result = look.result
        result.accounts = len(days)
        result.too_new = sum(len(day.complete) < LEAST_DAYS for day in days)
        due = digest_due(settings.digest, state.digest, now) if send else None
        digest = digest_text(days, state, unproven_days(opened, days), link) if due else ""
    if send is None:
        return result
    if result.news:
        result.delivered = send(message.message(result.news, link))
    if result.news and (result.delivered or not settings.alert_webhook):
        keep_watched(lake.store, look.kept)
    if due and (not digest or send(digest) or not settings.alert_webhook):
        keep_watched(lake.store, lambda known: replace(known, digest=due))
    return result


def _noted(lake: Lake, opened: Warehouse, now: datetime, *, is_kept: bool) -> WatchState:
    """What was told, with what billing had counted at the last tick. An account that the tick left
    out, such as one that is being backfilled, gets no count: an old one would look like a stop.
    """
    spent = {
        account_id: one.spent
        for account_id, one in known_of(lake.store).items()
        if one.spent_at is not None and now - one.spent_at < COUNT_IS_OF_NOW
    }
    counts = _counted(opened, spent)
    if not is_kept:
        return with_counts(watched_of(lake.store), counts, now)
    return keep_watched(lake.store, lambda known: with_counts(known, counts, now))


@dataclass(slots=True)
class _Look:
    """A look at work: what it has to tell, and the alerts to be kept if that is delivered."""

    opened: Warehouse
    client: GraphClient | None
    kinds: Sequence[str]
    interval_minutes: float
    state: WatchState
    now: datetime
    result: WatchResult = field(default_factory=WatchResult)
    alerts: list[Alert] = field(default_factory=list)

    def at(self, day: OpenDay) -> None:
        """Look at an account."""
        concerns = concerns_of(day, self.kinds, self.interval_minutes)
        found = {one.kind: one for one in concerns}
        for kind in Kind:
            alert = self.state.alert_of(day.account_id, kind)
            if kind in found:
                self._found(found[kind], alert)
            elif alert and alert.ended_at is None:
                self._gone(day, alert)

    def kept(self, state: WatchState) -> WatchState:
        """The state with what was told."""
        for alert in self.alerts:
            state = state.with_alert(alert)
        return state

    def _found(self, concern: Concern, alert: Alert | None) -> None:
        day = concern.day
        if alert and alert.day == day.today:
            self.result.lines[concern.kind][message.who(day)] = message.began(concern)
            return
        sure = self._confirmed(concern)
        if sure is None:
            return
        line = message.began(sure, ads_of(self.opened, sure))
        self.result.lines[sure.kind][message.who(day)] = line
        self.result.news.append(line)
        since = min(day.instant(sure.since), self.now)
        self.alerts.append(
            Alert(day.account_id, sure.kind, day.today, since, self.now, sure.figure, sure.usual)
        )

    def _gone(self, day: OpenDay, alert: Alert) -> None:
        """What was told and is not found any more: maybe it is over."""
        is_of_today = alert.day == day.today
        if alert.kind in _OF_A_DAY and not is_of_today:
            is_over = any(one.date == alert.day for one in day.complete)
        else:
            is_over = has_ended(alert.kind, day, minute_of(day.zone, day.today, alert.told_at))
        if is_over or not day.may_spend:
            self.result.news.append(message.ended(alert, day))
            self.alerts.append(replace(alert, ended_at=self.now))

    def _confirmed(self, concern: Concern) -> Concern | None:
        """As Graph has it; what cannot be confirmed is not told yet."""
        if concern.kind not in CONFIRMED:
            return concern
        if self.client is None:
            return None
        try:
            return confirmed(self.client, concern)
        except ENDS_EVERYTHING:
            raise
        except (GraphError, UnreadableError) as error:
            _log.warning(
                "act_%s: %s is not confirmed yet: %s", concern.day.account_id, concern.kind, error
            )
            return None


def ads_of(opened: Warehouse, concern: Concern) -> Sequence[AdShare]:
    """The ads that explain a concern. Raises WarehouseError."""
    if concern.kind not in _WITH_ADS:
        return ()
    is_stop = concern.kind is Kind.STOPPED
    first, end = int(concern.since // 60) if is_stop else 0, max(int(concern.minute // 60), 1)
    ads = ad_shares(opened, concern.day, first, end, by_usual=is_stop)
    return [one for one in ads if (one.usual if is_stop else one.spent - one.usual) > 0]


#: Kinds that are about a day, and over when it is.
_OF_A_DAY = frozenset({Kind.FAR_AHEAD, Kind.OVER_BUDGET})

#: Kinds that ads explain.
_WITH_ADS = frozenset({Kind.FAR_AHEAD, Kind.STOPPED})


def _counted(opened: Warehouse, spent: Mapping[str, str | None]) -> Mapping[str, float]:
    """What billing has counted, in major units, of accounts whose currency is known."""
    rows = opened.sql("from accounts select account_id, account_currency").fetchall()
    return dict(_amounts(dict(rows), spent))


def _amounts(
    currencies: Mapping[str, str | None], spent: Mapping[str, str | None]
) -> Iterator[tuple[str, float]]:
    for account_id, minor in spent.items():
        try:
            if minor is not None and account_id in currencies:
                yield account_id, int(minor) / offset_of(currencies[account_id])
        except (UnreadableError, ValueError):
            continue
