"""Shared cooldowns of limits: by all processes of one warehouse, on one machine or on many.

A lake in a folder has a file next to it, ``.limits.json``, for everyone who can reach the folder.
If the lake is in a bucket, each machine has such a file for its own processes, and the machines
share one object of the same name in the bucket.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from fbgraph.limits.shared_cooldowns import Cooldown, SharedCooldowns, extended
from warehouse.storage.local import Folder
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from fbgraph.limits.usage import Limit
    from warehouse.storage.store import Store

__all__ = ["KEY", "LEAST_SECONDS", "REREAD_SECONDS", "cooldowns_of"]

KEY: Final = ".limits.json"

#: Seconds after which the cooldowns of other machines are read again, by one request.
REREAD_SECONDS: Final = 2.0

#: A shorter cooldown is over before others read it; their own responses show it to them.
LEAST_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


def cooldowns_of(store: Store, now: Callable[[], float]) -> SharedCooldowns:
    """The cooldowns that all processes share that load into a lake. `now` gives seconds since the
    epoch.
    """
    if isinstance(store, Folder):
        return SharedCooldowns(_StoredValue(store), now)
    here = _StoredValue(Folder(store.root))
    return _MachineCooldowns(here, SharedCooldowns(_CachedValue(store, now), now), now)


class _StoredValue:
    """The value in a store. A store that cannot be reached is logged once, and has none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_failed = False

    def load(self) -> Any:
        try:
            return self._stored()
        except OSError as error:
            self._warn_once(error)
            return None

    def change(self, decide: Callable[[Any], Any]) -> None:
        try:
            change(self._store, KEY, lambda: decide(self._stored()))
        except OSError as error:
            self._warn_once(error)

    def _stored(self) -> Any:
        try:
            return load(self._store, KEY)
        except (FileNotFoundError, ValueError):
            return None

    def _warn_once(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            _log.warning("Cooldowns are not shared through %s: %s", self._store.name(KEY), error)


class _CachedValue(_StoredValue):
    """The value in a bucket. A copy of it stays valid for `REREAD_SECONDS`."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        super().__init__(store)
        self._now = now
        self._read_at: float | None = None
        self._copy: Any = None

    def load(self) -> Any:
        now = self._now()
        if self._read_at is None or abs(now - self._read_at) >= REREAD_SECONDS:
            self._read_at = now
            self._copy = super().load()
        return self._copy

    def change(self, decide: Callable[[Any], Any]) -> None:
        def remembered(value: Any) -> Any:
            decided = decide(value)
            self._copy = value if decided is None else decided
            return decided

        super().change(remembered)


class _MachineCooldowns(SharedCooldowns):
    """Cooldowns shared by a file with the processes of this machine, by an object with others."""

    def __init__(
        self, here: _StoredValue, others: SharedCooldowns, now: Callable[[], float]
    ) -> None:
        super().__init__(here, now)
        self._others = others

    def current(self) -> Mapping[Limit, Cooldown]:
        cooldowns = super().current()
        for limit, cooldown in self._others.current().items():
            cooldowns = extended(cooldowns, limit, cooldown)
        return cooldowns

    def put(self, limit: Limit, cooldown: Cooldown) -> None:
        super().put(limit, cooldown)
        if _is_news(self._others.current().get(limit, Cooldown(0.0)), cooldown):
            self._others.put(limit, cooldown)

    def claim(self, limits: Collection[Limit], seconds: float) -> bool:
        """One process of all machines holds a limit: the object decides."""
        if not super().claim(limits, seconds):
            return False
        is_ours = self._others.claim(limits, seconds)
        for limit in () if is_ours else limits:
            super().put(limit, Cooldown(0.0))
        return is_ours


def _is_news(known: Cooldown, cooldown: Cooldown) -> bool:
    """Whether other machines need it: blocks, long cooldowns, and the end of either."""
    if cooldown.seconds <= 0:
        return known.seconds > 0
    if cooldown.is_block != known.is_block:
        return cooldown.is_block
    return cooldown.seconds >= known.seconds + LEAST_SECONDS
