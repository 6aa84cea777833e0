"""Values that only objects have, in the forms in which Meta keeps settings: sets, nested settings
as JSON, attribution windows, switches.

A state is compared with the one before, so the same settings are the same text here in whatever
order Meta sends them. Each reader returns what `values.read` does, None for what Meta means by
nothing, or raises UnreadableError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from warehouse.decode.values import Flaw, UnreadableError, mended, named, read
from warehouse.schema.objects.links import is_signed, lasting
from warehouse.schema.objects.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warehouse.schema.table import Column

__all__ = ["inside", "read_of_object"]

#: Lists whose order means something, by their key; the order of all others does not.
#: Source: Marketing API, targeting: [youngest, oldest].
ORDERED: Final = frozenset({"age_range"})

#: What Meta's numbers of genders mean. Source: Marketing API, basic targeting.
GENDERS: Final[Mapping[str, str]] = {"1": "male", "2": "female"}

#: Event of an attribution window → its name in insights, in the order in which they write it
#: (recorded: 1d_view_7d_click_1d_ev).
WINDOW_NAMES: Final[Mapping[str, str]] = {
    "VIEW_THROUGH": "view",
    "CLICK_THROUGH": "click",
    "ENGAGED_VIDEO_VIEW": "ev",
}

_NUMBER: Final = re.compile(r"[0-9]{1,12}")


def inside(value: object, path: str) -> object:
    """What an object has at the end of a path like ``targeting.geo_locations.cities.name``; None if
    it ends before. On the way into a list, what all of its entries have there, as one list.

    Raises UnreadableError where the path leads into anything but an object or a list of them.
    """
    for part in _parts(path):
        if value is None or isinstance(value, Refused):
            return value
        value = value.get(part) if isinstance(value, dict) else _plucked(value, part)
    return value


@cache
def _parts(path: str) -> Sequence[str]:
    return path.split(".")


def _plucked(value: object, part: str) -> object:
    """What the entries of a list have there."""
    if not isinstance(value, list):
        raise UnreadableError(f"expected an object with {part}, got {named(value)}")
    found: list[object] = []
    for entry in value:
        if not isinstance(entry, dict):
            raise UnreadableError(f"expected objects with {part}, got {named(entry)} among them")
        one = entry.get(part)
        found += one if isinstance(one, list) else [] if one is None else [one]
    return found or None  # Meta's empty object may be written as an empty list


def read_of_object(column: Column, value: object) -> tuple[object, Sequence[Flaw]]:
    """Read a value that is neither missing nor null, as `values.read` does. Raises
    UnreadableError.
    """
    if column.kind in JSON:
        if is_signed(value):
            return None, ()
        value = _lasting(value)
    reader = OF_OBJECTS.get(column.kind)
    if reader is None:
        return read(column, value)
    found = reader(value)
    return mended(found, value) if isinstance(found, str | list) else (found, ())


def _lasting(value: object) -> object:
    try:
        return lasting(value)
    except RecursionError:
        raise UnreadableError("it nests too deeply") from None


def _set(value: object) -> list[str] | None:
    """Texts or numbers, each once, sorted; None if there are none."""
    if not isinstance(value, list):
        raise UnreadableError(f"expected a list, got {named(value)}")
    return sorted({_name(entry) for entry in value}) or None


def _plain(value: object) -> str:
    """A text or a whole number, as text; "" for anything else."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _name(entry: object) -> str:
    if (text := _plain(entry)) or entry == "":
        return text
    raise UnreadableError(f"expected texts, got {named(entry)} among them")


def _genders(value: object) -> list[str] | None:
    names = _set(value)
    return names and sorted(GENDERS.get(name, name) for name in names)


def _spec(value: object) -> str | None:
    """Settings as JSON, with sorted keys, and sorted lists where their order means nothing."""
    if not isinstance(value, dict | list):
        raise UnreadableError(f"expected an object or a list, got {named(value)}")
    if not value:
        return None
    try:
        return _as_text(_ordered(value))
    except (TypeError, ValueError, RecursionError):
        raise UnreadableError("it contains NaN or infinity, or nests too deeply") from None


#: Made once: `json.dumps` with options makes one for each call.
_as_text: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


def _ordered(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name], name) for name in sorted(value)}
    if isinstance(value, list):
        if key in ORDERED:
            return value
        if len(value) == 1:
            return [_ordered(value[0])]
        return sorted(map(_ordered, value), key=_as_text)
    return value


def _windows(value: object) -> str | None:
    """An attribution_spec as insights name it: ``1d_view_7d_click``."""
    if not isinstance(value, list):
        raise UnreadableError(f"expected a list, got {named(value)}")
    days: dict[str, str] = {}
    for entry in value:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("event_type"), str):
            raise UnreadableError("expected objects with event_type and window_days")
        length = _name(entry.get("window_days"))
        if not _NUMBER.fullmatch(length):
            raise UnreadableError("window_days is not a number of days")
        if int(length):  # a window of no days counts nothing
            days[entry["event_type"]] = length
    unknown = sorted(days.keys() - WINDOW_NAMES)
    names = {**WINDOW_NAMES, **{event: event.lower() for event in unknown}}
    return (
        "_".join(f"{days[event]}d_{name}" for event, name in names.items() if event in days) or None
    )


def _flag(value: object) -> bool:
    """True or false, which some fields write as 1 and 0."""
    known = {"1": True, "0": False, "true": True, "false": False}
    text = str(value).lower() if isinstance(value, bool) else _plain(value).lower()
    if text not in known:
        raise UnreadableError(f"expected true, false, 1 or 0, got {named(value)}")
    return known[text]


def _origin(value: object) -> str | None:
    """The id of what an object was copied from; Meta writes 0 for none."""
    text = _plain(value)
    if not (text.isascii() and text.isdigit()):
        raise UnreadableError("an id must consist of digits")
    return text if text.strip("0") else None


#: Kinds that are kept as JSON, without addresses that expire.
JSON: Final = frozenset({"json", "spec"})

#: kind → how a value of it is read; all other kinds are those of `values`.
OF_OBJECTS: Final[Mapping[str, Callable[[object], object]]] = {
    "flag": _flag,
    "genders": _genders,
    "origin": _origin,
    "set": _set,
    "spec": _spec,
    "windows": _windows,
}
