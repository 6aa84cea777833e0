"""Hints for unknown names: the nearest known ones, or all of them if they are few."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["unknown"]

#: Up to this many names are all listed.
FEW: Final = 33


def unknown(name: str, known: Collection[str]) -> str:
    """That a name is unknown, with the nearest known ones, or all if they are few."""
    near = get_close_matches(name, known, n=3, cutoff=0.7)
    if near:
        return f"unknown name; did you mean {' or '.join(near)}?"
    listed = sorted(known) if isinstance(known, AbstractSet) else known
    few = f"; expected one of {', '.join(listed)}" if len(known) <= FEW else ""
    return f"unknown name{few}"
