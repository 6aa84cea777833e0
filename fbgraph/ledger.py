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

from fbgraph.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

__all__ = ["Ledger", "Rest"]


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
            self._rests = _parsed(_text_of(self.path))
            self._seen = (status.st_mtime_ns, status.st_ino)
        return _left(self._rests, self._now())

    def rest(self, limit: Limit, rest: Rest) -> None:
        """Tell the others to leave a limit alone, at least for so long; 0 s take it back."""
        with self._locked():
            rests = self._read()
            known = rests.pop(limit, rest)
            if rest.seconds > 0:
                rests[limit] = max(rest, known)
            self._write(rests)

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """Whether nobody else holds one of these: then they are held for so long, by who asks."""
        with self._locked():
            rests = self._read()
            if rests.keys() & limits:
                return False
            self._write({**rests, **dict.fromkeys(limits, Rest(seconds))})
            return True

    def _read(self) -> dict[Limit, Rest]:
        return _left(_parsed(_text_of(self.path)), self._now())

    def _write(self, rests: Mapping[Limit, Rest]) -> None:
        now = self._now()
        text = json.dumps(
            [[*limit, now + rest.seconds, rest.is_block] for limit, rest in rests.items()]
        )
        written = self.path.with_suffix(f".{os.getpid()}")
        written.write_text(text)
        written.replace(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _text_of(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _parsed(text: str) -> Mapping[Limit, Rest]:
    """Rests until an instant, in seconds since the epoch."""
    try:
        found: Any = json.loads(text or "[]")
        return {
            Limit(str(owner), str(case)): Rest(float(until), bool(is_block))
            for owner, case, until, is_block in found
        }
    except (ValueError, TypeError, RecursionError):
        return {}


def _left(rests: Mapping[Limit, Rest], now: float) -> dict[Limit, Rest]:
    """Rests until an instant → what is left of them."""
    return {
        limit: Rest(until - now, is_block)
        for limit, (until, is_block) in rests.items()
        if until > now
    }
