"""What Meta has told of limits, for all processes with one warehouse, on one machine or on many.

A lake in a folder has a file next to it (`limits.cooldowns`), which whoever reaches the folder
reaches too.
Where the lake is in a bucket, each machine has such a file for its own processes, and one object in
the bucket, ``.limits.json`` as well, tells the machines of each other.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fbgraph.limits.cooldowns import Ledger, Rest, later, left, parsed, text_of
from warehouse.storage.atomic import workshop
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from fbgraph.limits.usage import Limit
    from warehouse.storage.store import Store

__all__ = ["KEY", "LEAST_SECONDS", "LOOK_SECONDS", "ledger_of"]

KEY: Final = ".limits.json"

#: Who calls looks so often what other machines were told. One request.
LOOK_SECONDS: Final = 2.0

#: A shorter rest is over before others hear of it; their own answers tell them as much.
LEAST_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


def ledger_of(store: Store, now: Callable[[], float]) -> Ledger:
    """What all share who load into a lake. `now` gives seconds since the epoch."""
    path = store.root / KEY
    return Ledger(path, now) if isinstance(store, Folder) else _Shared(path, now, store)


class _Shared(Ledger):
    """Rests of limits: a file tells the processes of this machine, an object other machines.

    Advice, as the file is: a bucket that cannot be reached keeps nobody from calling.
    """

    def __init__(self, path: Path, now: Callable[[], float], store: Store) -> None:
        super().__init__(path, now)
        self._store = store
        self._far: Mapping[Limit, Rest] = {}  # until instants, as the object has them
        self._looked: float | None = None
        self._has_failed = False

    def rests(self) -> Mapping[Limit, Rest]:
        rests = dict(super().rests())
        self._look()
        for limit, rest in left(self._far, self._now()).items():
            rests = later(rests, limit, rest)
        return rests

    def rest(self, limit: Limit, rest: Rest) -> None:
        super().rest(limit, rest)
        if self._is_news(limit, rest):
            self._change(lambda rests: later(rests, limit, rest))

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """Of all processes of all machines one holds a limit: the object decides."""
        if not super().claim(limits, seconds):
            return False
        is_ours = True

        def claimed(rests: Mapping[Limit, Rest]) -> Mapping[Limit, Rest] | None:
            nonlocal is_ours
            is_ours = not rests.keys() & limits
            return {**rests, **dict.fromkeys(limits, Rest(seconds))} if is_ours else None

        self._change(claimed)
        for limit in () if is_ours else limits:
            super().rest(limit, Rest(0.0))
        return is_ours

    def _is_news(self, limit: Limit, rest: Rest) -> bool:
        """Whether other machines are told: of blocks, of long rests, and of what is over."""
        known = left(self._far, self._now()).get(limit, Rest(0.0))
        if rest.seconds <= 0:
            return known.seconds > 0
        if rest.is_block != known.is_block:
            return rest.is_block
        return rest.seconds >= known.seconds + LEAST_SECONDS

    def _look(self) -> None:
        now = self._now()
        if self._looked is not None and abs(now - self._looked) < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._far = parsed(self._read_far())
        except OSError as error:
            self._tell(error)

    def _read_far(self) -> bytes:
        try:
            return self._store.read(KEY)
        except FileNotFoundError:
            return b""

    def _change(
        self, change: Callable[[Mapping[Limit, Rest]], Mapping[Limit, Rest] | None]
    ) -> None:
        """Put what `change` makes of the object in its place, unless it makes None of it."""
        try:
            with workshop(self._store.root) as folder:

                def write() -> Path | None:
                    now = self._now()
                    rests = change(left(parsed(self._read_far()), now))
                    if rests is None:
                        return None
                    text = text_of(rests, now)
                    self._far = parsed(text.encode())
                    written = folder / "limits.unfinished"
                    written.write_text(text)
                    return written

                self._store.replace(KEY, write)
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        """Once: what is told of limits stays on this machine until the bucket is there again."""
        if not self._has_failed:
            self._has_failed = True
            _log.warning("Limits are not shared with other machines: %s", error)
