"""How long something may take here and now.

A test that holds "gone within three seconds" means a machine with nothing else to do. Elsewhere the
same work takes as many times longer as there are programs for each core.
"""

from __future__ import annotations

import os
from typing import Final

__all__ = ["PATIENCE_SECONDS", "within"]

#: Longer than anything takes on a busy machine; who waits so long waits for what never comes.
PATIENCE_SECONDS: Final = 300.0


def within(seconds: float) -> float:
    """`seconds` of a calm machine, stretched by how busy this one is, and has been for a minute."""
    busy = max(os.getloadavg()[:2]) / (os.cpu_count() or 1)
    return seconds * max(1.0, busy)
