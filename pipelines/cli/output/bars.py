"""Bars for a terminal: how full something is, and a mark for how full it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["BLOCKS", "PLAIN", "Glyphs", "bar", "glyphs_of"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What bars are drawn with, each one cell wide: `more` is the end of a bar that goes on beyond
    its room.
    """

    full: str
    empty: str
    mark: str
    more: str


BLOCKS: Final = Glyphs("█", "░", "┃", "▶")
PLAIN: Final = Glyphs("#", ".", "|", ">")


def glyphs_of(stream: TextIO) -> Glyphs:
    """What a stream can show."""
    try:
        f"{BLOCKS.full}{BLOCKS.empty}{BLOCKS.mark}{BLOCKS.more}".encode(stream.encoding)
    except (LookupError, TypeError, UnicodeEncodeError):
        return PLAIN
    return BLOCKS


def bar(share: float, width: int, mark: float | None = None, glyphs: Glyphs = BLOCKS) -> str:
    """A bar of `width` cells, filled by `share` of 1, with a mark at the share `mark`.

    What is more than nothing fills a cell at least, and what is less than all leaves one empty. A
    share above 1 ends in an arrow. A mark beyond the end is not shown.
    """
    filled = round(min(max(share, 0.0), 1.0) * width)
    if 0 < share < 1:
        filled = min(max(filled, 1), width - 1)
    cells = [glyphs.full if n < filled else glyphs.empty for n in range(width)]
    if share > 1:
        cells[-1] = glyphs.more
    if mark is not None and 0 <= mark <= 1:
        cells[min(int(mark * width), width - 1)] = glyphs.mark
    return "".join(cells)
