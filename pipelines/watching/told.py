"""What was told already, and what Meta's billing had counted by when: one file next to the lake.

    <lake>/.watching.json    {"alerts": [{"account_id": "123", …}], "counters": {"123": …}, …}

Each account, kind and day is told once, and a word when it is over. What is lost with the file is
told once more. What was delivered is kept right afterwards, so a process that is killed in between
may repeat a message, but never loses one.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from pipelines.watching.rules import Kind
from warehouse.errors import InaccessibleError
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warehouse.storage.store import Store

    Counts = tuple[tuple[datetime, float], ...]

__all__ = ["Alert", "WatchState", "forget_watched", "keep_watched", "watched_of", "with_counts"]

WATCHED_KEY: Final = ".watching.json"

#: How long what billing counted is kept: for today, from its midnight, in any zone.
COUNTS_KEPT: Final = timedelta(hours=27)

#: How long an alert is kept, so that it is not told twice and its end can be told.
ALERTS_KEPT: Final = timedelta(days=3)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alert:
    """What was told about an account's day, since when it was so, and when it was over, if that was
    told too. `figure` and `usual` are those of the concern.
    """

    account_id: str
    kind: Kind
    day: date
    since: datetime
    told_at: datetime
    figure: float
    usual: float
    ended_at: datetime | None = None

    @property
    def value(self) -> dict[str, Any]:
        """As JSON."""
        ended = self.ended_at and self.ended_at.isoformat()
        return asdict(self) | {
            "day": self.day.isoformat(),
            "since": self.since.isoformat(),
            "told_at": self.told_at.isoformat(),
            "ended_at": ended,
        }

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Self:
        """The opposite of `value`. Raises ValueError, KeyError or TypeError."""
        ended = value["ended_at"]
        return cls(
            str(value["account_id"]),
            Kind(value["kind"]),
            date.fromisoformat(value["day"]),
            datetime.fromisoformat(value["since"]).astimezone(UTC),
            datetime.fromisoformat(value["told_at"]).astimezone(UTC),
            float(value["figure"]),
            float(value["usual"]),
            datetime.fromisoformat(ended).astimezone(UTC) if ended else None,
        )


@dataclass(frozen=True, slots=True)
class WatchState:
    """The newest alert of each account and kind; by account (digits) what billing had counted,
    oldest first; the day of the last digest.
    """

    alerts: Sequence[Alert] = ()
    counters: Mapping[str, Counts] = field(default_factory=dict)
    digest: date | None = None

    def alert_of(self, account_id: str, kind: Kind) -> Alert | None:
        """The newest alert."""
        same = (one for one in self.alerts if (one.account_id, one.kind) == (account_id, kind))
        return next(same, None)

    def with_alert(self, alert: Alert) -> WatchState:
        """The same with an alert that replaces the one of its account and kind."""
        key = alert.account_id, alert.kind
        others = [one for one in self.alerts if (one.account_id, one.kind) != key]
        return replace(self, alerts=(*others, alert))

    @property
    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "alerts": [one.value for one in self.alerts],
            "counters": {
                key: [[at.isoformat(), amount] for at, amount in counts]
                for key, counts in self.counters.items()
            },
            "digest": self.digest and self.digest.isoformat(),
        }

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Self:
        """The opposite of `value`. Raises ValueError, KeyError, TypeError or AttributeError."""
        return cls(
            [Alert.from_value(one) for one in value["alerts"]],
            {
                key: tuple((datetime.fromisoformat(at), float(amount)) for at, amount in counts)
                for key, counts in value["counters"].items()
            },
            date.fromisoformat(value["digest"]) if value["digest"] else None,
        )


def with_counts(state: WatchState, counted: Mapping[str, float], now: datetime) -> WatchState:
    """The state with what billing has counted by now, in major units, and without what is too old.

    A count that falls begins again: the advertiser has reset it, which is neither spend nor a stop.
    Of one that stays the same only the first and the last look are kept.
    """
    counters = {
        account_id: tuple(one for one in points if now - one[0] < COUNTS_KEPT)
        for account_id, points in state.counters.items()
    }
    for account_id, amount in counted.items():
        known = list(counters.get(account_id, ()))
        if known and (amount < known[-1][1] or now < known[-1][0]):
            known = []
        if len(known) > 1 and known[-1][1] == known[-2][1] == amount:
            known.pop()
        if not known or known[-1][0] < now:
            known.append((now, amount))
        counters[account_id] = tuple(known)
    alerts = [one for one in state.alerts if now - one.told_at < ALERTS_KEPT]
    return replace(state, alerts=alerts, counters=counters)


def watched_of(store: Store) -> WatchState:
    """What is kept; nothing where there is none, or none that can be read."""
    try:
        return WatchState.from_value(load(store, WATCHED_KEY))
    except FileNotFoundError:
        return WatchState()
    except (InaccessibleError, ValueError, KeyError, TypeError, AttributeError):
        _log.warning("%s cannot be read and is written again.", store.name(WATCHED_KEY))
        return WatchState()


def keep_watched(store: Store, decide: Callable[[WatchState], WatchState]) -> WatchState:
    """Change what is kept; returns it. Raises OSError."""
    kept = WatchState()

    def value() -> dict[str, Any]:
        nonlocal kept
        kept = decide(watched_of(store))
        return kept.value

    change(store, WATCHED_KEY, value)
    return kept


def forget_watched(store: Store, account_id: str) -> None:
    """Remove what is kept of an account (digits). Raises OSError."""
    state = watched_of(store)
    if account_id not in {*state.counters, *(one.account_id for one in state.alerts)}:
        return

    def without(state: WatchState) -> WatchState:
        alerts = [one for one in state.alerts if one.account_id != account_id]
        counters = {key: one for key, one in state.counters.items() if key != account_id}
        return replace(state, alerts=alerts, counters=counters)

    keep_watched(store, without)
