"""Which request may be sent now, and how long the others wait, so that none runs into a limit.

`cooldown_seconds` and `retry.LIMIT` decide; `Throttle` remembers, for all threads of a client.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.limits.cooldowns import Cooldown
from fbgraph.limits.retry import LIMIT
from fbgraph.limits.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.errors import ThrottledError
    from fbgraph.limits.cooldowns import SharedCooldowns
    from fbgraph.limits.usage import Metered, Reading, Usage

__all__ = [
    "COOLDOWN_AT",
    "Throttle",
    "cooldown_after",
    "cooldown_seconds",
]

#: (busiest share in percent, seconds of cooldown), highest first. Our choice, not Meta's.
COOLDOWN_AT: Final[Sequence[tuple[float, float]]] = ((95.0, 60.0), (85.0, 10.0), (70.0, 1.0))

#: While one request finds out whether a limit is free again, the others look again this often.
PROBE_SECONDS: Final = 0.5

#: Other processes leave the limit to the probe for this long, in case it never reports back.
PROBE_HOLD_SECONDS: Final = 10.0

#: From this share on `reset_time_duration` is a wait; below, it only says when the score is 0.
RESET_FROM_PERCENT: Final = 100.0


def cooldown_seconds(percent: float, regain_seconds: float = 0.0) -> float:
    """Seconds before the next request at a share of `percent`, at least as long as Meta says."""
    by_level = next((cooldown for level, cooldown in COOLDOWN_AT if percent >= level), 0.0)
    return max(by_level, regain_seconds)


def cooldown_after(reading: Reading) -> float:
    """Seconds before the next request that counts against the limit of a reading."""
    soft = reading.header == "x-ad-account-usage" and reading.percent < RESET_FROM_PERCENT
    return cooldown_seconds(reading.percent, 0.0 if soft else reading.regain_seconds)


@dataclass(slots=True)
class _Block:
    """A limit that is used up, as Meta said. `probe`: the request that finds out if it still is.

    A block that another process reported begins without a strike.
    """

    until: float
    strikes: int = 1
    probe: Metered | None = None


class Throttle:
    """Shared by all threads of a client: which request may be sent now, how long the others wait.

    A limit that refused a request is left alone until its time is over. Then one request goes
    first, as a probe; the others follow when its response is in. `clock` gives seconds that only
    grow. `cooldowns` are shared with other processes.
    """

    def __init__(
        self, clock: Callable[[], float], cooldowns: SharedCooldowns | None = None
    ) -> None:
        self._clock = clock
        self._shared = cooldowns
        self._lock = threading.Lock()
        self._readings: dict[tuple[Limit, str], tuple[Reading, float]] = {}
        self._blocks: dict[Limit, _Block] = {}

    def percents(self) -> Mapping[Limit, float]:
        """The latest share of each limit, the busiest where several headers speak of it."""
        with self._lock:
            latest = [reading for reading, _ in self._readings.values()]
        return {
            limit: max(reading.percent for reading in latest if reading.limit == limit)
            for limit in {reading.limit for reading in latest}
        }

    def note(self, usage: Usage) -> None:
        """Take in the usage that a response reports."""
        with self._lock:
            for reading in usage.readings:
                cooldown = cooldown_after(reading)
                self._readings[reading.limit, reading.header] = (reading, self._clock() + cooldown)
                if cooldown:
                    self._share(reading.limit, Cooldown(cooldown))

    def acquire(self, request: Metered) -> float:
        """Seconds until `request` may be sent; 0: now. Then `release` or `abandon` must follow."""
        with self._lock:
            wait = self._wait(request)
            probed = _limits_of(request) & self._blocks.keys()
            if wait <= 0 and probed and self._shared:
                is_ours = self._shared.claim(probed, PROBE_HOLD_SECONDS)
                wait = 0.0 if is_ours else PROBE_SECONDS
            for limit in probed if wait <= 0 else ():
                self._blocks[limit].probe = request
            return wait

    def cooldown_of(self, request: Metered) -> float:
        """Seconds until `request` may be sent, for a caller that does not send it yet."""
        with self._lock:
            return self._wait(request)

    def _wait(self, request: Metered) -> float:
        limits, now = _limits_of(request), self._clock()
        shared = {
            key: cooldown for key, cooldown in self._shared_cooldowns().items() if key in limits
        }
        for limit in (key for key, cooldown in shared.items() if cooldown.is_block):
            self._blocks.setdefault(limit, _Block(now, strikes=0))
        blocks = [self._blocks[limit] for limit in limits & self._blocks.keys()]
        if any(block.probe is not None for block in blocks):
            return PROBE_SECONDS
        cooldowns = {key: until for key, (_, until) in self._readings.items()}
        waits = [
            *(block.until - now for block in blocks),
            *(until - now for (limit, _), until in cooldowns.items() if limit in limits),
            *(cooldown.seconds for cooldown in shared.values()),
        ]
        return max(0.0, *waits) if waits else 0.0

    def _shared_cooldowns(self) -> Mapping[Limit, Cooldown]:
        return self._shared.current() if self._shared else {}

    def release(self, request: Metered, refusal: ThrottledError | None = None) -> None:
        """The response is in: a throttle, or anything else, which frees the limits that this
        request probed. A request sent before a block says nothing about it.
        """
        with self._lock:
            if refusal is None:
                for limit in self._probed_by(request):
                    del self._blocks[limit]
                    self._share(limit, Cooldown(0.0))
                return
            self._let_others_probe(request)
            self._block(_limit_of(request, refusal.detail.limit), refusal.detail.cooldown_seconds)

    def abandon(self, request: Metered) -> None:
        """No response came: the next request may find out whether the limits are free."""
        with self._lock:
            self._let_others_probe(request)

    def _let_others_probe(self, request: Metered) -> None:
        for limit in self._probed_by(request):
            self._blocks[limit].probe = None
            self._share(limit, Cooldown(0.0))

    def _probed_by(self, request: Metered) -> Sequence[Limit]:
        return [limit for limit, block in self._blocks.items() if block.probe is request]

    def _block(self, limit: Limit, meta_seconds: float | None) -> None:
        """A request that was under way when the limit was blocked does not count as a strike."""
        now, known = self._clock(), self._blocks.get(limit)
        strikes = known.strikes + (known.until <= now) if known else 1
        until = now + LIMIT.seconds(strikes, meta_seconds)
        until = max(until, known.until if known else 0.0)
        self._blocks[limit] = _Block(until, strikes)
        self._share(limit, Cooldown(until - now, is_block=True))

    def _share(self, limit: Limit, cooldown: Cooldown) -> None:
        if self._shared:
            self._shared.put(limit, cooldown)


def _limits_of(request: Metered) -> frozenset[Limit]:
    """All limits that a request counts against."""
    owners = {"", request.account_id}
    return frozenset(Limit(owner, case) for owner in owners for case in ("", request.use_case))


def _limit_of(request: Metered, name: str) -> Limit:
    """The limit that a throttle means, by the word of `errors.Rule`. Where the account is not known
    it is the app: better to delay too many requests than to run into a block.
    """
    owner = request.account_id if name.startswith("account") else ""
    return Limit(owner, request.use_case if name.endswith("use_case") else "")
