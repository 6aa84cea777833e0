"""One budget for all processes that share a token on one machine.

A small file beside the lake says until when each limit is to be left alone. Whoever is told so by
Meta writes it there; everybody reads it before a call. Machines share it if they share the folder.
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

__all__ = ["Ledger", "Rest", "later", "left", "parsed", "text_of"]


class Rest(NamedTuple):
    """How long a limit is to be left alone; `is_block`: Meta has refused a call for it."""

    seconds: float
    is_block: bool = False


class Ledger:
    """Rests of limits, shared through a file. Times are seconds since the epoch.

    A file that cannot be read says nothing: it is advice, and must not keep a load from running.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now
        self._seen: tuple[int, int] | None = None
        self._rests: Mapping[Limit, Rest] = {}

    def rests(self) -> Mapping[Limit, Rest]:
        """Limit → how long from now it is to be left alone."""
        try:
            status = self.path.stat()
        except OSError:
            return {}
        if (status.st_mtime_ns, status.st_ino) != self._seen:
            self._rests = parsed(_read(self.path))
            self._seen = (status.st_mtime_ns, status.st_ino)
        return left(self._rests, self._now())

    def rest(self, limit: Limit, rest: Rest) -> None:
        """Tell the others to leave a limit alone, at least for so long; 0 s take it back."""
        with self._locked():
            self._write(later(self._read(), limit, rest))

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """Whether nobody else holds one of these: then they are held for so long, by who asks."""
        with self._locked():
            rests = self._read()
            if rests.keys() & limits:
                return False
            self._write({**rests, **dict.fromkeys(limits, Rest(seconds))})
            return True

    def _read(self) -> dict[Limit, Rest]:
        return left(parsed(_read(self.path)), self._now())

    def _write(self, rests: Mapping[Limit, Rest]) -> None:
        written = self.path.with_suffix(f".{os.getpid()}")
        written.write_text(text_of(rests, self._now()))
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


def later(rests: Mapping[Limit, Rest], limit: Limit, rest: Rest) -> dict[Limit, Rest]:
    """Rests with one more, or a longer one; 0 s take one back."""
    others = {key: known for key, known in rests.items() if key != limit}
    longest = max(rest, rests.get(limit, rest))
    return {**others, limit: longest} if rest.seconds > 0 else others


def text_of(rests: Mapping[Limit, Rest], now: float) -> str:
    """Rests from now on, as `parsed` reads them."""
    return json.dumps(
        [[*limit, now + rest.seconds, rest.is_block] for limit, rest in rests.items()]
    )


def parsed(text: bytes) -> Mapping[Limit, Rest]:
    """Rests until an instant, in seconds since the epoch; none where the text makes no sense."""
    try:
        found: Any = json.loads(text or b"[]")
        return {
            Limit(str(owner), str(case)): Rest(float(until), bool(is_block))
            for owner, case, until, is_block in found
        }
    except (ValueError, TypeError, RecursionError):
        return {}


def left(rests: Mapping[Limit, Rest], now: float) -> dict[Limit, Rest]:
    """Rests until an instant → what is left of them."""
    return {
        limit: Rest(until - now, is_block)
        for limit, (until, is_block) in rests.items()
        if until > now
    }
