"""The throttle: which request may be sent now, so that none runs into a limit, and how long the
others wait: `cooldown_seconds` before a limit, `retry.LIMIT` after it. `Throttle` remembers, for
all threads of a client.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from fbgraph.limits.retry import CEILING_SECONDS, LIMIT
from fbgraph.limits.shared_cooldowns import Cooldown, extended, waiting_text
from fbgraph.limits.stuck import is_stuck, stuck_error
from fbgraph.limits.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from fbgraph.errors import Detail, LimitStuckError, ThrottledError
    from fbgraph.limits.shared_cooldowns import SharedCooldowns
    from fbgraph.limits.usage import Metered, Reading, Usage

__all__ = ["Throttle", "cooldown_after", "cooldown_seconds", "is_doubtful"]

#: (busiest share in percent, seconds of cooldown), highest first. Our choice, not Meta's.
COOLDOWN_AT: Final[Sequence[tuple[float, float]]] = ((95.0, 60.0), (85.0, 10.0), (70.0, 1.0))

#: While one request finds out whether a limit is free again, the others look again this often.
PROBE_SECONDS: Final = 0.5

#: Other processes leave the limit to the probe for this long, in case it never reports back.
PROBE_HOLD_SECONDS: Final = 10.0

#: A wait from this length on is logged as a warning, and again when it ends so much later.
REPORTED_SECONDS: Final = 30.0
REPORTED_AGAIN_SECONDS: Final = 300.0

#: From this share on `reset_time_duration` is a wait; below, it only says when the score is 0.
RESET_FROM_PERCENT: Final = 100.0


def cooldown_seconds(percent: float, regain_seconds: float = 0.0) -> float:
    """Seconds before the next request at a share of `percent`, at least as long as Meta says, but
    for an hour at most.
    """
    by_level = next((cooldown for level, cooldown in COOLDOWN_AT if percent >= level), 0.0)
    return max(by_level, min(regain_seconds, CEILING_SECONDS))


def cooldown_after(reading: Reading) -> float:
    """Seconds before the next request that counts against the limit of a reading."""
    return cooldown_seconds(reading.percent, _named_seconds(reading))


def _named_seconds(reading: Reading) -> float:
    """How long Meta says to wait; 0 for a header that does not mean it before the limit is near."""
    soft = reading.header == "x-ad-account-usage" and reading.percent < RESET_FROM_PERCENT
    return 0.0 if soft else reading.regain_seconds


def is_doubtful(reading: Reading) -> bool:
    """Whether a reading names a wait that is longer than any block has been, or one for a limit
    that is far from used up: then one request looks, and is believed more than the header.
    """
    seconds = _named_seconds(reading)
    return seconds > CEILING_SECONDS or (seconds > 0 and reading.percent < COOLDOWN_AT[-1][0])


_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Block:
    """A limit that is used up, as Meta said. `probe`: the request that finds out if it still is.

    A block begins without a strike where no request of ours was refused: another process reported
    it, or usage headers did. `refusals`: the first and the latest by the clock, and what Meta said
    in the latest.
    """

    until: float
    strikes: int = 1
    probe: Metered | None = None
    refusals: tuple[float, float, Detail] | None = None

    def stuck_error(self, limit: Limit, now: float) -> LimitStuckError | None:
        """Why nobody waits for it any longer; None if it is waited for, or looked at again."""
        if self.refusals is None or self.probe is not None or now >= self.until:
            return None
        first, latest, response = self.refusals
        if not is_stuck(self.strikes, latest - first):
            return None
        return stuck_error(limit, self.strikes, latest - first, response)


class Throttle:
    """Shared by all threads of a client: which request may be sent now, how long the others wait.

    A limit that refused a request is left alone until its time is over. Then one request goes
    first, as a probe; the others follow when its response is in. The same goes for a limit that is
    to be left alone for more than an hour: if the probe gets through, its headers are not believed
    again until it refuses a request. `clock` gives seconds that only grow, `now`
    the time of day, for the log. `cooldowns` are shared with other processes.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        cooldowns: SharedCooldowns | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._now = now
        self._shared = cooldowns
        self._lock = threading.Lock()
        # By limit and header. A request has four limits, and an agency thousands of accounts.
        self._readings: dict[Limit, dict[str, tuple[Reading, float]]] = {}
        self._blocks: dict[Limit, _Block] = {}
        self._disproved: set[Limit] = set()
        self._reported: dict[Limit, float] = {}

    def percents(self) -> Mapping[Limit, float]:
        """The latest share of each limit, the busiest where several headers speak of it."""
        with self._lock:
            return {
                limit: max(reading.percent for reading, _ in by_header.values())
                for limit, by_header in self._readings.items()
            }

    def note(self, usage: Usage) -> None:
        """Take in the usage that a response reports."""
        with self._lock:
            for reading in usage.readings:
                self._take_in(reading)

    def _take_in(self, reading: Reading) -> None:
        limit, doubtful = reading.limit, is_doubtful(reading)
        believed = not (doubtful and limit in self._disproved)
        cooldown = cooldown_after(reading) if believed else cooldown_seconds(reading.percent)
        until = self._clock() + cooldown
        self._readings.setdefault(limit, {})[reading.header] = (reading, until)
        if doubtful and believed:
            self._blocks.setdefault(limit, _Block(until, strikes=0))
        if cooldown:
            self._share(limit, Cooldown(cooldown, is_block=doubtful and believed))

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

    def stuck(self, request: Metered) -> LimitStuckError | None:
        """Why `request` is not to be sent: one of its limits does not reset. Once the cooldown of
        that limit is over, one request may look again.
        """
        with self._lock:
            now, limits = self._clock(), _limits_of(request)
            known = ((limit, self._blocks[limit]) for limit in limits & self._blocks.keys())
            errors = (block.stuck_error(limit, now) for limit, block in known)
            return next(filter(None, errors), None)

    def _wait(self, request: Metered) -> float:
        limits, now = _limits_of(request), self._clock()
        cooldowns = self._cooldowns(limits, now)
        if cooldowns is None:
            return PROBE_SECONDS
        for limit, cooldown in cooldowns.items():
            self._report(limit, cooldown, now)
        return max((cooldown.seconds for cooldown in cooldowns.values()), default=0.0)

    def _cooldowns(self, limits: Collection[Limit], now: float) -> Mapping[Limit, Cooldown] | None:
        """What remains of the cooldowns of limits; None while a probe finds out."""
        everywhere, ordered = self._shared_cooldowns(), sorted(limits)
        shared = {limit: everywhere[limit] for limit in ordered if limit in everywhere}
        for limit in (key for key, cooldown in shared.items() if cooldown.is_block):
            self._blocks.setdefault(limit, _Block(now, strikes=0))
        blocks = {limit: self._blocks[limit] for limit in ordered if limit in self._blocks}
        if any(block.probe is not None for block in blocks.values()):
            return None
        known = [
            *(
                (limit, Cooldown(until - now))
                for limit in ordered
                for _, until in self._readings.get(limit, {}).values()
            ),
            *(
                (limit, Cooldown(block.until - now, is_block=True))
                for limit, block in blocks.items()
            ),
            *shared.items(),
        ]
        longest: Mapping[Limit, Cooldown] = {}
        for limit, cooldown in known:
            if cooldown.seconds > 0:
                longest = extended(longest, limit, cooldown)
        return longest

    def _report(self, limit: Limit, cooldown: Cooldown, now: float) -> None:
        """Log a long wait, once, so that nobody takes it for a hang."""
        until, known = now + cooldown.seconds, self._reported.get(limit, float("-inf"))
        if cooldown.seconds >= REPORTED_SECONDS and until >= known + REPORTED_AGAIN_SECONDS:
            self._reported[limit] = until
            at = self._now() + timedelta(seconds=cooldown.seconds)
            _log.warning("%s", waiting_text(limit, cooldown, at))

    def _shared_cooldowns(self) -> Mapping[Limit, Cooldown]:
        return self._shared.current() if self._shared else {}

    def release(self, request: Metered, refusal: ThrottledError | None = None) -> None:
        """The response is in: a throttle, or anything else, which frees the limits that this
        request probed. A request sent before a block says nothing about it.
        """
        with self._lock:
            if refusal is None:
                for limit in self._probed_by(request):
                    self._set_free(limit)
                return
            self._let_others_probe(request)
            self._block(_limit_of(request, refusal.detail.limit), refusal.detail)

    def _set_free(self, limit: Limit) -> None:
        """A probe got through: the limit is not used up, whatever its headers say."""
        del self._blocks[limit]
        by_header = self._readings.get(limit, {})
        for header, (reading, _) in by_header.items():
            if is_doubtful(reading):
                self._disproved.add(limit)
                by_header[header] = (reading, self._clock() + cooldown_seconds(reading.percent))
        self._share(limit, Cooldown(0.0))

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

    def _block(self, limit: Limit, refusal: Detail) -> None:
        """A request that was under way when the limit was blocked does not count as a strike."""
        self._disproved.discard(limit)
        now, known = self._clock(), self._blocks.get(limit)
        strikes = known.strikes + (known.until <= now) if known else 1
        first = known.refusals[0] if known and known.refusals else now
        until = now + LIMIT.seconds(strikes, refusal.cooldown_seconds)
        until = max(until, known.until if known else 0.0)
        self._blocks[limit] = _Block(until, strikes, refusals=(first, now, refusal))
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
