"""Cursors, and how a list is cut into pages.

Cursors of insights are offsets: base64 of a row's index with each ``=`` written ``ZD``. Those of
object edges are opaque. Sources: Graph API, Paginated results; docs/graph-api.md#paging.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


__all__ = [
    "EDGE_CURSORS",
    "INSIGHTS_CURSORS",
    "Cursor",
    "Cursors",
    "Cut",
    "PageRequest",
    "cut",
    "page",
    "page_request",
]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's index. `step` distinguishes pages that end at the same row, as empty ones do."""

    index: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class Cursors:
    """One family of cursors, recognized by the prefix of its texts."""

    prefix: str

    def write(self, cursor: Cursor) -> str:
        text = f"{cursor.index}.{cursor.step}" if cursor.step else str(cursor.index)
        return self.prefix + base64.b64encode(text.encode()).decode().replace("=", "ZD")

    def read(self, text: str) -> Cursor:
        """Raises the refusal 2642 for a cursor that this family never wrote."""
        plain = text.removeprefix(self.prefix)
        for end in range(len(plain), len(plain) - 5, -2):
            found = _decode(plain[:end] + "=" * ((len(plain) - end) // 2))
            if found is not None and self.write(found) == text:
                return found
            if plain[end - 2 : end] != "ZD":
                break
        raise refused("cursor")


def _decode(text: str) -> Cursor | None:
    try:
        plain = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?", plain)
    return Cursor(int(found[1]), int(found[2] or 0)) if found else None


INSIGHTS_CURSORS: Final = Cursors("")
EDGE_CURSORS: Final = Cursors("QVFIU")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Where the caller wants to read on."""

    limit: int
    after: Cursor | None = None
    before: Cursor | None = None

    @property
    def start(self) -> int:
        if self.before:
            return max(0, self.before.index - self.limit)
        return self.after.index + 1 if self.after else 0

    @property
    def end(self) -> int:
        """Behind the last row that is asked for."""
        return self.before.index if self.before else self.start + self.limit


@dataclass(frozen=True, slots=True)
class Cut:
    """One page of a list: rows `start` to `stop`, the cursor to go on from, and if there is more.

    `total` counts the rows of the list as far as they are known, at least one behind `stop`.
    """

    start: int
    stop: int
    total: int
    after: Cursor
    more: bool


def page_request(params: Mapping[str, str], limit: int, cursors: Cursors) -> PageRequest:
    given = {name: cursors.read(params[name]) for name in ("after", "before") if params.get(name)}
    return PageRequest(limit, **given)


def cut(requested: PageRequest, total: int) -> Cut:
    """The page that was asked for. It may be empty: then nothing lies after the cursor."""
    start, stop = min(requested.start, total), min(requested.end, total)
    return Cut(start, stop, total, Cursor(max(stop - 1, 0)), more=stop < total)


def page(
    rows: Sequence[bytes],
    where: Cut,
    cursors: Cursors,
    link: Callable[..., str],
    summary: Mapping[str, Any] | None = None,
) -> bytes:
    """The envelope around the rows of a cut. The last page has cursors too, but no `next`."""
    body = b'{"data":[' + b",".join(rows) + b"]"
    if where.total and (where.start < where.stop or where.more):
        body += b',"paging":' + compact(_paging(where, cursors, link))
    if summary is not None:
        body += b',"summary":' + compact(summary)
    return body + b"}"


def _paging(where: Cut, cursors: Cursors, link: Callable[..., str]) -> Mapping[str, Any]:
    before = cursors.write(Cursor(where.start))
    after = cursors.write(where.after)
    paging: dict[str, Any] = {"cursors": {"before": before, "after": after}}
    if 0 < where.start < where.stop:
        paging["previous"] = link(before=before)
    if where.more:
        paging["next"] = link(after=after)
    return paging
