"""The grammar of ``fields``: names, braces nested to any depth, edges with parameters.

``name,campaign{id,name},insights.time_range({"since":"2026-11-01","until":"2026-11-02"}){spend}``

Source: Graph API, Field expansion; docs/graph-api.md#requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.protocol.params import words
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RequestedField", "read_fields"]

OPENING: Final = {"(": ")", "{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class RequestedField:
    """One field, with the fields wanted of it and, for an edge, its parameters.

    `text` is the inner fields as they were written.
    """

    name: str
    inner: tuple[RequestedField, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    text: str = ""


def read_fields(params: Mapping[str, str]) -> tuple[RequestedField, ...]:
    """``fields`` as comma text or JSON list."""
    text = params.get("fields", "").strip()
    entries = words(params, "fields") if text.startswith("[") else _split(text)
    return tuple(dict.fromkeys(_requested_field(entry) for entry in entries))


def _split(text: str) -> Sequence[str]:
    """Cut at the commas outside of all brackets."""
    parts, at = [], 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] != ",":
            end = _close(text, end) + 1 if text[end] in OPENING else end + 1
        parts.append(text[at:end].strip())
        at = end + 1
    return [part for part in parts if part]


def _close(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes. Brackets in quotes are text."""
    awaited, quoted = "", False
    for at in range(start, len(text)):
        letter = text[at]
        if letter == '"' and text[at - 1] != "\\":
            quoted = not quoted
        elif not quoted and letter in OPENING:
            awaited = OPENING[letter] + awaited
        elif not quoted and awaited.startswith(letter):
            awaited = awaited[1:]
            if not awaited:
                return at
    raise refused("bad_type", name="fields", wanted="a list with balanced braces")


def _requested_field(entry: str) -> RequestedField:
    name = entry[: _until(entry, ".{(")].strip()
    remaining, params = entry[len(name) :].strip(), []
    while found := re.match(r"\.(\w+)(?=\()", remaining):
        end = _close(remaining, found.end())
        params.append((found[1], remaining[found.end() + 1 : end]))
        remaining = remaining[end + 1 :].strip()
    if remaining and not (remaining.startswith("{") and _close(remaining, 0) == len(remaining) - 1):
        raise refused("bad_type", name="fields", wanted="a list like name,campaign{id,name}")
    text = remaining[1:-1]
    return RequestedField(
        name, tuple(_requested_field(inner) for inner in _split(text)), tuple(params), text
    )


def _until(text: str, letters: str) -> int:
    return next((at for at, letter in enumerate(text) if letter in letters), len(text))
