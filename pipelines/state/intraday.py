"""The tick of today that is in progress, and what ticks know of accounts: a file next to the lake.

    <lake>/.intraday.json    {"tick": {"run_id": …}, "accounts": {"123": {"spent": "4711", …}}}

A tick that finds another one in progress ends at once, so they never pile up. One that was killed
holds nobody up: its process has ended, or it began too long ago. What is lost with the file is
requested again, by one request for each account.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from pipelines.state.unreported import is_alive
from warehouse.errors import InaccessibleError
from warehouse.lake.proof.reconcile import Totals
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.storage.store import Store

__all__ = ["OpenAccount", "TickInProgress", "begin_tick", "end_tick", "forget_account", "known_of"]

TICKS_KEY: Final = ".intraday.json"

#: No tick takes longer: what Meta lets us wait for at most, and its loads.
LONGEST_TICK: Final = timedelta(hours=3)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickInProgress:
    """A tick under the id `run_id`, by a process of a machine."""

    run_id: str
    began_at: datetime
    host: str
    pid: int

    @classmethod
    def of_this_process(cls, run_id: str, began_at: datetime) -> Self:
        """What this process begins."""
        return cls(run_id, began_at, socket.gethostname(), os.getpid())

    def is_over(self, now: datetime) -> bool:
        """Whether nothing more will come: its process has ended, or must have by now."""
        has_died = self.host == socket.gethostname() and not is_alive(self.pid)
        return has_died or not timedelta() <= now - self.began_at < LONGEST_TICK

    @property
    def value(self) -> dict[str, Any]:
        return asdict(self) | {"began_at": self.began_at.isoformat()}


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """What ticks know of an account: `spent`, its lifetime spend as it was listed at `spent_at`
    (None if the listing has none), and when that was last seen to move; when its totals were;
    whether it is `is_dirty`, so that the next tick asks for its totals whatever it has spent.
    `days`: the totals of its open days when they were last requested, None if Meta had no row.
    `failing`: days that could not be asked for or loaded at the last try.
    """

    spent: str | None = None
    spent_at: datetime | None = None
    spent_moved_at: datetime | None = None
    totals_moved_at: datetime | None = None
    is_dirty: bool = True
    days: Mapping[date, Totals | None] = field(default_factory=dict)
    failing: frozenset[date] = frozenset()

    @property
    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "spent": self.spent,
            "spent_at": self.spent_at and self.spent_at.isoformat(),
            "spent_moved_at": self.spent_moved_at and self.spent_moved_at.isoformat(),
            "totals_moved_at": self.totals_moved_at and self.totals_moved_at.isoformat(),
            "is_dirty": self.is_dirty,
            "days": {
                day.isoformat(): one and [one.impressions, one.clicks, str(one.spend)]
                for day, one in self.days.items()
            },
            "failing": sorted(day.isoformat() for day in self.failing),
        }

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Self:
        """The opposite of `value`. Raises ValueError, KeyError, TypeError or ArithmeticError."""
        return cls(
            value["spent"],
            _instant(value.get("spent_at")),
            _instant(value["spent_moved_at"]),
            _instant(value["totals_moved_at"]),
            bool(value["is_dirty"]),
            {
                date.fromisoformat(day): one and Totals(int(one[0]), int(one[1]), Decimal(one[2]))
                for day, one in value["days"].items()
            },
            frozenset(map(date.fromisoformat, value["failing"])),
        )


def begin_tick(store: Store, tick: TickInProgress, now: datetime) -> str:
    """Claim the tick for this process; "" if it is ours, else who is at it. Raises OSError."""
    others = ""

    def decide() -> dict[str, Any] | None:
        nonlocal others
        value = _value(store)
        other = _tick_in(value)
        if other is None or other.run_id == tick.run_id or other.is_over(now):
            others = ""
            return {**value, "tick": tick.value}
        others = (
            f"The tick that began at {other.began_at:%H:%M:%S} UTC on {other.host} is still in"
            " progress."
        )
        return None

    change(store, TICKS_KEY, decide)
    return others


def end_tick(store: Store, run_id: str, known: Mapping[str, OpenAccount] | None) -> None:
    """The tick is over: `known` replaces what was known of accounts (None leaves it as it is). One
    that another tick has taken over changes nothing. Raises OSError.
    """

    def decide() -> dict[str, Any] | None:
        value = _value(store)
        tick = _tick_in(value)
        if tick is None or tick.run_id != run_id:
            return None
        accounts = value.get("accounts", {}) if known is None else _values(known)
        return {"accounts": accounts}

    change(store, TICKS_KEY, decide)


def known_of(store: Store) -> Mapping[str, OpenAccount]:
    """What ticks know of accounts (digits); what cannot be read of one is not known."""
    found = {}
    accounts = _value(store).get("accounts", {})
    for account_id, value in accounts.items() if isinstance(accounts, dict) else ():
        try:
            found[account_id] = OpenAccount.from_value(value)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError):
            _log.warning(
                "%s: what it says of act_%s cannot be read; treating the account as new",
                *(store.name(TICKS_KEY), account_id),
            )
    return found


def forget_account(store: Store, account_id: str) -> None:
    """Remove what is known of an account (digits). Raises OSError."""

    def decide() -> dict[str, Any] | None:
        value = _value(store)
        accounts = value.get("accounts", {})
        if account_id not in accounts:
            return None
        return {**value, "accounts": {k: v for k, v in accounts.items() if k != account_id}}

    change(store, TICKS_KEY, decide)


def _value(store: Store) -> dict[str, Any]:
    """What is kept; nothing where there is none, or none that can be read: it is made again."""
    try:
        value = load(store, TICKS_KEY)
    except FileNotFoundError:
        return {}
    except (InaccessibleError, ValueError):
        _log.warning("%s cannot be read and is written again.", store.name(TICKS_KEY))
        return {}
    return value if isinstance(value, dict) else {}


def _tick_in(value: Mapping[str, Any]) -> TickInProgress | None:
    try:
        tick = value["tick"]
        began_at = datetime.fromisoformat(tick["began_at"]).astimezone(UTC)
        return TickInProgress(str(tick["run_id"]), began_at, str(tick["host"]), int(tick["pid"]))
    except (ValueError, KeyError, TypeError):
        return None


def _values(known: Mapping[str, OpenAccount]) -> dict[str, Any]:
    return {account_id: one.value for account_id, one in known.items()}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
