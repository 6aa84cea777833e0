"""Who may call now, and who rests how long, so that no call is made into a limit.

`rest_seconds` and `blocked_seconds` decide; `Throttle` remembers, for all threads of a client.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.limits.cooldowns import Rest
from fbgraph.limits.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.errors import ThrottledError
    from fbgraph.limits.cooldowns import Ledger
    from fbgraph.limits.usage import Metered, Reading, Usage

__all__ = [
    "MAX_REST_SECONDS",
    "REST_AT",
    "THROTTLED_SECONDS",
    "Throttle",
    "blocked_seconds",
    "rest_after",
    "rest_seconds",
]

#: (busiest share in percent, seconds to rest), highest first. Our choice, not Meta's.
REST_AT: Final[Sequence[tuple[float, float]]] = ((95.0, 60.0), (85.0, 10.0), (70.0, 1.0))

#: A throttle that names no wait: 60 s is the shorter of Meta's two block times, then it doubles.
THROTTLED_SECONDS: Final = 60.0
MAX_REST_SECONDS: Final = 15 * 60.0

#: While one call finds out whether a limit is free again, the others look again so often.
PROBE_SECONDS: Final = 0.5

#: Other processes leave the limit to the probe for so long, should it never tell how it went.
PROBE_HOLD_SECONDS: Final = 10.0

#: From this share on `reset_time_duration` is a wait; below, it only says when the score is 0.
RESET_FROM_PERCENT: Final = 100.0


def rest_seconds(percent: float, regain_seconds: float = 0.0) -> float:
    """Rest before the next call at a share of `percent`, at least as long as Meta says."""
    by_level = next((rest for level, rest in REST_AT if percent >= level), 0.0)
    return max(by_level, regain_seconds)


def blocked_seconds(strikes: int, told_seconds: float | None) -> float:
    """How long a limit stays alone after its `strikes`th refusal in a row.

    The wait that Meta named, or a minute; twice as long each time that it did not help. From a
    short one the doubling starts short: a second throttle in a row is ordinary where several
    callers wake up for the same limit.
    """
    first = THROTTLED_SECONDS if told_seconds is None else told_seconds
    return max(told_seconds or 0.0, min(first * 2.0 ** (strikes - 1), MAX_REST_SECONDS))


def rest_after(reading: Reading) -> float:
    """How long to rest before the next call that counts against the limit of a reading."""
    soft = reading.header == "x-ad-account-usage" and reading.percent < RESET_FROM_PERCENT
    return rest_seconds(reading.percent, 0.0 if soft else reading.regain_seconds)


@dataclass(slots=True)
class _Block:
    """A limit that Meta said is used up. `probe`: the call that is finding out if it still is.

    One that another process was told of begins without a strike.
    """

    until: float
    strikes: int = 1
    probe: Metered | None = None


class Throttle:
    """Shared by all threads of a client: who may call now, and who rests how long.

    A limit that refused a call is left alone until its time is over. Then one call goes first, as
    a probe; the others follow when it was answered. `clock` gives seconds that only grow. `ledger`
    tells other processes, and what they have been told.
    """

    def __init__(self, clock: Callable[[], float], ledger: Ledger | None = None) -> None:
        self._clock = clock
        self._ledger = ledger
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
        """Take in what an answer told."""
        with self._lock:
            for reading in usage.readings:
                rest = rest_after(reading)
                self._readings[reading.limit, reading.header] = (reading, self._clock() + rest)
                if rest:
                    self._tell(reading.limit, Rest(rest))

    def turn(self, request: Metered) -> float:
        """Seconds until `request` may be made; 0: now. Then `settle` must be told how it went."""
        with self._lock:
            wait = self._wait(request)
            probed = _limits_of(request) & self._blocks.keys()
            if wait <= 0 and probed and self._ledger:
                is_ours = self._ledger.claim(probed, PROBE_HOLD_SECONDS)
                wait = 0.0 if is_ours else PROBE_SECONDS
            for limit in probed if wait <= 0 else ():
                self._blocks[limit].probe = request
            return wait

    def rest_of(self, request: Metered) -> float:
        """Seconds until `request` may be made, for somebody who does not make it yet."""
        with self._lock:
            return self._wait(request)

    def _wait(self, request: Metered) -> float:
        limits, now = _limits_of(request), self._clock()
        told = {key: rest for key, rest in self._told().items() if key in limits}
        for limit in (key for key, rest in told.items() if rest.is_block):
            self._blocks.setdefault(limit, _Block(now, strikes=0))
        blocks = [self._blocks[limit] for limit in limits & self._blocks.keys()]
        if any(block.probe is not None for block in blocks):
            return PROBE_SECONDS
        rests = {key: until for key, (_, until) in self._readings.items()}
        waits = [
            *(block.until - now for block in blocks),
            *(until - now for (limit, _), until in rests.items() if limit in limits),
            *(rest.seconds for rest in told.values()),
        ]
        return max(0.0, *waits) if waits else 0.0

    def _told(self) -> Mapping[Limit, Rest]:
        return self._ledger.rests() if self._ledger else {}

    def settle(self, request: Metered, refusal: ThrottledError | None = None) -> None:
        """The call was answered: by a throttle, or by anything else: then the limits that it was
        the probe of are free. A call that was on its way before a block tells nothing of it.
        """
        with self._lock:
            if refusal is None:
                for limit in self._probed_by(request):
                    del self._blocks[limit]
                    self._tell(limit, Rest(0.0))
                return
            self._let_others_probe(request)
            self._block(_limit_of(request, refusal.detail.limit), refusal.detail.rest_seconds)

    def unheard(self, request: Metered) -> None:
        """No answer came: whoever is next may find out whether the limits are free."""
        with self._lock:
            self._let_others_probe(request)

    def _let_others_probe(self, request: Metered) -> None:
        for limit in self._probed_by(request):
            self._blocks[limit].probe = None
            self._tell(limit, Rest(0.0))

    def _probed_by(self, request: Metered) -> Sequence[Limit]:
        return [limit for limit, block in self._blocks.items() if block.probe is request]

    def _block(self, limit: Limit, told_seconds: float | None) -> None:
        """A call that was on its way when the limit was blocked is no further strike."""
        now, known = self._clock(), self._blocks.get(limit)
        strikes = known.strikes + (known.until <= now) if known else 1
        until = now + blocked_seconds(strikes, told_seconds)
        until = max(until, known.until if known else 0.0)
        self._blocks[limit] = _Block(until, strikes)
        self._tell(limit, Rest(until - now, is_block=True))

    def _tell(self, limit: Limit, rest: Rest) -> None:
        if self._ledger:
            self._ledger.rest(limit, rest)


def _limits_of(request: Metered) -> frozenset[Limit]:
    """All limits that a call counts against."""
    owners = {"", request.account_id}
    return frozenset(Limit(owner, case) for owner in owners for case in ("", request.use_case))


def _limit_of(request: Metered, name: str) -> Limit:
    """The limit that a throttle means, by the word of `errors.Rule`. An account that is not known
    is the app: better to hold up too many calls than to call into a block.
    """
    owner = request.account_id if name.startswith("account") else ""
    return Limit(owner, request.use_case if name.endswith("use_case") else "")
