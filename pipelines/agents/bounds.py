"""What a call may take and return, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bounds", "RefusedError"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that one call may return and take. `megabytes` are those of the query, without the
    100 of its process. `characters` of JSON are what a model can still read at once.
    """

    rows: int = 500
    seconds: int = 30
    megabytes: int = 512
    characters: int = 100_000
    threads: int = 2


class RefusedError(Exception):
    """A call that is not carried out: why, and what to do instead."""
