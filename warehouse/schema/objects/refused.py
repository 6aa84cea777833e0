"""`Refused`: a value that Graph does not give for an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["WHOLE", "Refused"]

#: The key in the JSON of an object under which it is `Refused` as a whole: only its id is known.
WHOLE: Final = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The value of a field that Graph refuses for one object, with Graph's reason. Unlike a missing
    one it says nothing about the object: it is a reject, and no change of its history.
    """

    reason: str
