"""What to write instead of a word that is not known."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["unknown"]

#: Words are all listed where there are not more of them.
FEW: Final = 33


def unknown(name: str, known: Collection[str]) -> str:
    """That a word is not known, with the nearest that are, or all if they are few."""
    near = get_close_matches(name, known, n=3, cutoff=0.7)
    if near:
        return f"is not known; do you mean {' or '.join(near)}?"
    listed = sorted(known) if isinstance(known, AbstractSet) else known
    few = f"; there are {', '.join(listed)}" if len(known) <= FEW else ""
    return f"is not known{few}"
