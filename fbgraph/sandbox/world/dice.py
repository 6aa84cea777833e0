"""Deterministic chance: the same dice in every sandbox."""

from __future__ import annotations

from zlib import crc32

__all__ = ["dice"]


def dice(*facts: object) -> int:
    """A large number that is the same for the same facts in every sandbox."""
    return crc32("/".join(map(str, facts)).encode())
