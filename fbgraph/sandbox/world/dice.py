"""Deterministic chance: the same dice in every sandbox."""

from __future__ import annotations

from zlib import crc32

__all__ = ["dice", "digits"]


def dice(*facts: object) -> int:
    """A large number that is the same for the same facts in every sandbox."""
    return crc32("/".join(map(str, facts)).encode())


def digits(count: int, *facts: object) -> str:
    """So many digits, at most 20, that are the same for the same facts."""
    return f"{dice(*facts, 1):010}{dice(*facts, 2):010}"[-count:]
