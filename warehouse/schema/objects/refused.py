"""`Refused`: a value that Graph does not give for an object."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Refused"]


@dataclass(frozen=True, slots=True)
class Refused:
    """The value of a field that Graph refuses for one object, with Graph's reason. Unlike a missing
    one it says nothing about the object: it is a reject, and no change of its history.
    """

    reason: str
