"""Who waits for which limit, and until when: what any process of a warehouse has met."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fbgraph.limits.shared_cooldowns import waiting_text
from pipelines.state.cooldowns import cooldowns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warehouse.storage.store import Store

__all__ = ["waits_of"]


def waits_of(store: Store) -> Callable[[], Sequence[str]]:
    """A function that gives a line for each limit that is waited for now, the longest wait first.

    It reads a small file. It raises OSError where that cannot be read.
    """
    shared = cooldowns_of(store, time.time)

    def lines() -> Sequence[str]:
        now = datetime.now(UTC)
        longest = sorted(shared.current().items(), key=lambda pair: -pair[1].seconds)
        return [
            waiting_text(limit, cooldown, now + timedelta(seconds=cooldown.seconds))
            for limit, cooldown in longest
        ]

    return lines
