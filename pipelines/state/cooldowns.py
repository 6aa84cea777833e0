"""Cooldowns of limits, shared by all processes of one warehouse, on one machine or on many.

A lake in a folder has a file next to it (`fbgraph.limits.cooldowns`), which everyone who can reach
the folder can reach too. Where the lake is in a bucket, each machine has such a file for its own
processes, and the machines share one object in the bucket, ``.limits.json`` as well.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from fbgraph.limits.cooldowns import Cooldown, SharedCooldowns, extended, parsed, remaining, text_of
from warehouse.storage.atomic import workshop
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from fbgraph.limits.usage import Limit
    from warehouse.storage.store import Store

__all__ = ["KEY", "LEAST_SECONDS", "LOOK_SECONDS", "cooldowns_of"]

KEY: Final = ".limits.json"

#: How often the cooldowns of other machines are read again. One request.
LOOK_SECONDS: Final = 2.0

#: A shorter cooldown is over before others read it; their own responses tell them as much.
LEAST_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


def cooldowns_of(store: Store, now: Callable[[], float]) -> SharedCooldowns:
    """What all processes share that load into a lake. `now` gives seconds since the epoch."""
    path = store.root / KEY
    return SharedCooldowns(path, now) if isinstance(store, Folder) else _InBucket(path, now, store)


class _InBucket(SharedCooldowns):
    """Cooldowns shared by a file with the processes of this machine, by an object with others.

    Advice, as the file is: a bucket that cannot be reached keeps no load from running.
    """

    def __init__(self, path: Path, now: Callable[[], float], store: Store) -> None:
        super().__init__(path, now)
        self._store = store
        self._far: Mapping[Limit, Cooldown] = {}  # until instants, as the object has them
        self._looked: float | None = None
        self._has_failed = False

    def current(self) -> Mapping[Limit, Cooldown]:
        cooldowns = dict(super().current())
        self._look()
        for limit, cooldown in remaining(self._far, self._now()).items():
            cooldowns = extended(cooldowns, limit, cooldown)
        return cooldowns

    def put(self, limit: Limit, cooldown: Cooldown) -> None:
        super().put(limit, cooldown)
        if self._is_news(limit, cooldown):
            self._change(lambda cooldowns: extended(cooldowns, limit, cooldown))

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """One process of all machines holds a limit: the object decides."""
        if not super().claim(limits, seconds):
            return False
        is_ours = True

        def claimed(cooldowns: Mapping[Limit, Cooldown]) -> Mapping[Limit, Cooldown] | None:
            nonlocal is_ours
            is_ours = not cooldowns.keys() & limits
            return {**cooldowns, **dict.fromkeys(limits, Cooldown(seconds))} if is_ours else None

        self._change(claimed)
        for limit in () if is_ours else limits:
            super().put(limit, Cooldown(0.0))
        return is_ours

    def _is_news(self, limit: Limit, cooldown: Cooldown) -> bool:
        """Whether other machines need it: blocks, long cooldowns, and the end of either."""
        known = remaining(self._far, self._now()).get(limit, Cooldown(0.0))
        if cooldown.seconds <= 0:
            return known.seconds > 0
        if cooldown.is_block != known.is_block:
            return cooldown.is_block
        return cooldown.seconds >= known.seconds + LEAST_SECONDS

    def _look(self) -> None:
        now = self._now()
        if self._looked is not None and abs(now - self._looked) < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._far = parsed(self._read_far())
        except OSError as error:
            self._warn_once(error)

    def _read_far(self) -> bytes:
        try:
            return self._store.read(KEY)
        except FileNotFoundError:
            return b""

    def _change(
        self, change: Callable[[Mapping[Limit, Cooldown]], Mapping[Limit, Cooldown] | None]
    ) -> None:
        """Replace the object by what `change` returns for it, unless that is None."""
        try:
            with workshop(self._store.root) as folder:

                def write() -> Path | None:
                    now = self._now()
                    cooldowns = change(remaining(parsed(self._read_far()), now))
                    if cooldowns is None:
                        return None
                    text = text_of(cooldowns, now)
                    self._far = parsed(text.encode())
                    written = folder / "limits.unfinished"
                    written.write_text(text)
                    return written

                self._store.replace(KEY, write)
        except OSError as error:
            self._warn_once(error)

    def _warn_once(self, error: OSError) -> None:
        """Once: cooldowns stay on this machine until the bucket can be reached again."""
        if not self._has_failed:
            self._has_failed = True
            _log.warning("Cooldowns are not shared with other machines: %s", error)
