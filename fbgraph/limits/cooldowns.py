"""Cooldowns of limits, shared by all processes that use one token on one machine.

A small file next to the lake says until when each limit must be left alone. The process that Meta
throttles writes it; every process reads it before a request. Machines share it if they share the
folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from fbgraph.limits.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["Cooldown", "SharedCooldowns", "extended", "parsed", "remaining", "text_of"]


class Cooldown(NamedTuple):
    """How long a limit must be left alone; `is_block`: Meta has refused a request for it."""

    seconds: float
    is_block: bool = False


class SharedCooldowns:
    """Cooldowns by limit, shared through a file. Times are seconds since the epoch.

    A file that cannot be read counts as empty: it is advice, and must not keep a load from running.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now
        self._seen: tuple[int, int] | None = None
        self._cooldowns: Mapping[Limit, Cooldown] = {}

    def current(self) -> Mapping[Limit, Cooldown]:
        """Limit → its cooldown from now on."""
        try:
            status = self.path.stat()
        except OSError:
            return {}
        if (status.st_mtime_ns, status.st_ino) != self._seen:
            self._cooldowns = parsed(_read(self.path))
            self._seen = (status.st_mtime_ns, status.st_ino)
        return remaining(self._cooldowns, self._now())

    def put(self, limit: Limit, cooldown: Cooldown) -> None:
        """Share a cooldown; a longer one that is known stays. 0 s ends it."""
        with self._locked():
            self._write(extended(self._read(), limit, cooldown))

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """Whether no other process holds one of these; then the caller holds them for `seconds`."""
        with self._locked():
            cooldowns = self._read()
            if cooldowns.keys() & limits:
                return False
            self._write({**cooldowns, **dict.fromkeys(limits, Cooldown(seconds))})
            return True

    def _read(self) -> dict[Limit, Cooldown]:
        return remaining(parsed(_read(self.path)), self._now())

    def _write(self, cooldowns: Mapping[Limit, Cooldown]) -> None:
        written = self.path.with_suffix(f".{os.getpid()}")
        written.write_text(text_of(cooldowns, self._now()))
        written.replace(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def extended(
    cooldowns: Mapping[Limit, Cooldown], limit: Limit, cooldown: Cooldown
) -> dict[Limit, Cooldown]:
    """`cooldowns` with one added or made longer; 0 s removes it."""
    others = {key: known for key, known in cooldowns.items() if key != limit}
    longest = max(cooldown, cooldowns.get(limit, cooldown))
    return {**others, limit: longest} if cooldown.seconds > 0 else others


def text_of(cooldowns: Mapping[Limit, Cooldown], now: float) -> str:
    """Cooldowns from now on as JSON, as `parsed` reads them."""
    return json.dumps(
        [
            [*limit, now + cooldown.seconds, cooldown.is_block]
            for limit, cooldown in cooldowns.items()
        ]
    )


def parsed(text: bytes) -> Mapping[Limit, Cooldown]:
    """Cooldowns until an instant, in seconds since the epoch; none where the text is malformed."""
    try:
        found: Any = json.loads(text or b"[]")
        return {
            Limit(str(owner), str(case)): Cooldown(float(until), bool(is_block))
            for owner, case, until, is_block in found
        }
    except (ValueError, TypeError, RecursionError):
        return {}


def remaining(cooldowns: Mapping[Limit, Cooldown], now: float) -> dict[Limit, Cooldown]:
    """Cooldowns until an instant → what remains of them at `now`."""
    return {
        limit: Cooldown(until - now, is_block)
        for limit, (until, is_block) in cooldowns.items()
        if until > now
    }
