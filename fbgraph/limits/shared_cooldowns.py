"""Cooldowns of limits, shared by all processes that use one token.

One small value that they all reach says until when each limit must be left alone. The process that
Meta throttles writes it; every process reads it before a request. Where it is kept, and what
happens when two write at once, is decided elsewhere (`pipelines.state.cooldowns`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from fbgraph.limits.retry import CEILING_SECONDS
from fbgraph.limits.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    Change = Callable[[Mapping[Limit, "Cooldown"]], Mapping[Limit, "Cooldown"] | None]

__all__ = [
    "Cooldown",
    "SharedCooldowns",
    "SharedValue",
    "extended",
    "parsed",
    "remaining",
    "waiting_text",
]

#: A shared cooldown that ends later than this many ceilings from now is a mistake of a clock, or of
#: an older version, and counts for nothing.
_TOO_LATE: Final = 2


class Cooldown(NamedTuple):
    """How long a limit must be left alone; `is_block`: Meta has refused a request for it."""

    seconds: float
    is_block: bool = False


class SharedValue(Protocol):
    """A small JSON value that processes share. It is advice: neither method raises OSError, for a
    disk that is full or a network that is down must not keep a load from running.
    """

    def load(self) -> Any:
        """The value as it is now; None where there is none, or none that can be read."""

    def change(self, decide: Callable[[Any], Any]) -> None:
        """Replace the value by what `decide` returns for it, unless that is None. Nothing that
        another process writes comes in between; `decide` may be called several times.
        """


class SharedCooldowns:
    """Cooldowns by limit, in a value that processes share. Times are seconds since the epoch.

    A value that makes no sense counts as empty.
    """

    def __init__(self, value: SharedValue, now: Callable[[], float]) -> None:
        self._value = value
        self._now = now

    def current(self) -> Mapping[Limit, Cooldown]:
        """Limit → its cooldown from now on."""
        return remaining(parsed(self._value.load()), self._now())

    def put(self, limit: Limit, cooldown: Cooldown) -> None:
        """Share a cooldown; a longer one that is known stays. 0 s ends it."""
        self._change(lambda known: extended(known, limit, cooldown))

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """Whether no other process holds one of these; then the caller holds them for `seconds`."""
        is_ours = True

        def claimed(known: Mapping[Limit, Cooldown]) -> Mapping[Limit, Cooldown] | None:
            nonlocal is_ours
            is_ours = not known.keys() & limits
            return {**known, **dict.fromkeys(limits, Cooldown(seconds))} if is_ours else None

        self._change(claimed)
        return is_ours

    def _change(self, change: Change) -> None:
        def decide(value: Any) -> Any:
            now = self._now()
            changed = change(remaining(parsed(value), now))
            return None if changed is None else _plain(changed, now)

        self._value.change(decide)


def extended(
    cooldowns: Mapping[Limit, Cooldown], limit: Limit, cooldown: Cooldown
) -> dict[Limit, Cooldown]:
    """`cooldowns` with one added or made longer; 0 s removes it."""
    others = {key: known for key, known in cooldowns.items() if key != limit}
    longest = max(cooldown, cooldowns.get(limit, cooldown))
    return {**others, limit: longest} if cooldown.seconds > 0 else others


def parsed(value: Any) -> Mapping[Limit, Cooldown]:
    """Cooldowns until an instant, in seconds since the epoch; none where the value is malformed."""
    try:
        return {
            Limit(str(owner), str(case)): Cooldown(float(until), bool(is_block))
            for owner, case, until, is_block in value or ()
        }
    except (ValueError, TypeError):
        return {}


def _plain(cooldowns: Mapping[Limit, Cooldown], now: float) -> Sequence[Sequence[Any]]:
    """Cooldowns from now on as JSON has them: owner, use case, until when, is it a block."""
    return [
        [*limit, now + cooldown.seconds, cooldown.is_block] for limit, cooldown in cooldowns.items()
    ]


def remaining(cooldowns: Mapping[Limit, Cooldown], now: float) -> dict[Limit, Cooldown]:
    """Cooldowns until an instant → what remains of them at `now`, an hour at most."""
    return {
        limit: Cooldown(min(until - now, CEILING_SECONDS), is_block)
        for limit, (until, is_block) in cooldowns.items()
        if now < until <= now + _TOO_LATE * CEILING_SECONDS
    }


def waiting_text(limit: Limit, cooldown: Cooldown, until: datetime) -> str:
    """Who waits for what, until when: a line for people."""
    who = f"act_{limit.account_id} waits" if limit.account_id else "All accounts wait"
    what = limit.named("the account's" if limit.account_id else "the app's")
    minutes = math.ceil(cooldown.seconds / 60)
    why = f"Meta reports that it is {'' if cooldown.is_block else 'nearly '}used up"
    return f"{who} until {until:%H:%M} UTC ({minutes} min) for {what}: {why}."
