"""One budget for all processes that share a token on one machine.

A small file beside the lake says until when each limit is to be left alone. Whoever is told so by
Meta writes it there; everybody reads it before a call. On many machines Dagster's pools do this.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fbgraph.usage import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Ledger"]


class Ledger:
    """Rests of limits, shared through a file. Times are seconds since the epoch.

    A file that cannot be read says nothing: it is advice, and must not keep a load from running.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now
        self._seen: tuple[int, int] | None = None
        self._rests: Mapping[Limit, float] = {}

    def rests(self) -> Mapping[Limit, float]:
        """Limit → seconds from now that it is to be left alone."""
        try:
            status = self.path.stat()
        except OSError:
            return {}
        if (status.st_mtime_ns, status.st_ino) != self._seen:
            self._rests = _parsed(_text_of(self.path))
            self._seen = (status.st_mtime_ns, status.st_ino)
        now = self._now()
        return {limit: until - now for limit, until in self._rests.items() if until > now}

    def rest(self, limit: Limit, seconds: float) -> None:
        """Tell the others to leave a limit alone; 0 takes it back."""
        now = self._now()
        with self._locked():
            rests = {
                one: until for one, until in _parsed(_text_of(self.path)).items() if until > now
            }
            rests.pop(limit, None)
            if seconds > 0:
                rests[limit] = now + seconds
            written = self.path.with_suffix(f".{os.getpid()}")
            written.write_text(json.dumps([[*one, until] for one, until in rests.items()]))
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


def _parsed(text: str) -> Mapping[Limit, float]:
    try:
        found: Any = json.loads(text or "[]")
        return {Limit(str(owner), str(case)): float(until) for owner, case, until in found}
    except (ValueError, TypeError, RecursionError):
        return {}
