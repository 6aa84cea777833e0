"""How long something may take here and now, and what makes it quick.

A test that holds "gone within three seconds" means a machine with nothing else to do. Elsewhere the
same work takes as many times longer as there are programs for each core.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PATIENCE_SECONDS", "QUICK_DISK", "within"]

#: Longer than anything takes on a busy machine; who waits so long waits for what never comes.
PATIENCE_SECONDS: Final = 300.0

#: For the environment of a program that a test starts with one of its own: it waits for the disk no
#: more than the test does (nosync.c).
QUICK_DISK: Final[Mapping[str, str]] = {
    name: os.environ[name] for name in ("LD_PRELOAD",) if name in os.environ
}


def within(seconds: float) -> float:
    """`seconds` of a calm machine, stretched by how busy this one is, and has been for a minute."""
    busy = max(os.getloadavg()[:2]) / (os.cpu_count() or 1)
    return seconds * max(1.0, busy)
