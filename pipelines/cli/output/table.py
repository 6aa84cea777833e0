"""Prints tables: text to the left, numbers to the right, as wide as they are or as wide as the
terminal. What is shortened has a sign, and what is left out is named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from pipelines.cli.output.terminal import wrapped
from pipelines.escaping import escaped
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["Digits", "table_lines"]

_GAP: Final = "  "

#: Marks where a text was cut, and where columns were left out.
_CUT: Final = "…"

#: Text is not cut to less than this: days stay whole.
_SHORTEST: Final = 12


class Digits(str):
    """A number as text, with as many places as it needs by itself."""

    __slots__ = ()


def table_lines(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    width: int | None = None,
    *,
    heads: Collection[str] = (),
    spare: Sequence[str] = (),
) -> Sequence[str]:
    """A table in lines of at most `width` cells; None: as wide as it is. A value of None is NULL.

    If it is too wide, what is in the columns `heads` becomes a line above the rows that share it.
    Then columns that are `spare` are left out, those that hold 0 alone before the first of them,
    and a line says which. Then text is cut, and columns are taken out of the middle.
    """
    body = [[*row] for row in rows]
    columns = [_column(name, [row[n] for row in body]) for n, name in enumerate(header)]
    if width is None or _width(columns) <= width:
        return _lines(columns)
    above = [column for column in columns if column.title in heads]
    columns = [column for column in columns if column.title not in heads]
    if above:
        first = columns[0]
        columns[0] = replace(first, cells=[_GAP + cell for cell in first.cells])
    columns, note = _without_spare(columns, spare, width)
    fitted = _cut_to(columns, width)
    top, rule, *lines = _lines(fitted)
    if above:
        lines = [*_below_heads(above, lines, width)]
    missing = len(columns) - len([one for one in fitted if one.title != _CUT])
    more = [f"{missing} of {counted(len(columns), 'column')} have no room."] if missing else []
    return [top, rule, *lines, *note, *more]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as text."""

    title: str
    cells: Sequence[str]
    is_number: bool

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.title, *self.cells)))

    @property
    def least(self) -> int:
        """How narrow it can be made."""
        return self.width if self.is_number else min(self.width, _SHORTEST)

    def padded(self) -> Sequence[str]:
        """Title, rule and cells, all of one width."""
        width = self.width
        fill = [" " * (width - cell_len(text)) for text in (self.title, *self.cells)]
        title, *cells = (
            blank + text if self.is_number else text + blank
            for text, blank in zip((self.title, *self.cells), fill, strict=True)
        )
        return [title, "-" * width, *cells]

    def cut(self, width: int) -> _Column:
        cells = [_shortened(cell, width) for cell in self.cells]
        return replace(self, title=_shortened(self.title, width), cells=cells)


def _column(title: str, values: Sequence[object]) -> _Column:
    is_number = all(_is_number(value) for value in values if value is not None)
    return _Column(escaped(title), _texts(values), is_number)


def _width(columns: Iterable[_Column]) -> int:
    return _total(column.width for column in columns)


def _total(widths: Iterable[int]) -> int:
    """The width of a line with columns of these widths."""
    widths = [*widths]
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _lines(columns: Sequence[_Column]) -> Sequence[str]:
    rows = zip(*(column.padded() for column in columns), strict=True)
    return [_GAP.join(row).rstrip() for row in rows]


def _below_heads(above: Sequence[_Column], lines: Sequence[str], width: int) -> Iterator[str]:
    """The lines of rows in groups, each below what its rows share."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for head, line in zip(zip(*(one.cells for one in above), strict=True), lines, strict=True):
        groups.setdefault(head, []).append(line)
    for shared, below in groups.items():
        yield _head(shared, width)
        yield from below


def _head(texts: Sequence[str], width: int) -> str:
    """What rows share, in a line: the longest text is cut where they do not fit."""
    texts = [text.strip() for text in texts]
    over = cell_len(_GAP.join(texts)) - width
    longest = max(texts, key=cell_len)
    cut = _shortened(longest, max(cell_len(longest) - max(over, 0), _SHORTEST))
    return _GAP.join(cut if text is longest else text for text in texts)


def _without_spare(
    columns: Sequence[_Column], spare: Sequence[str], width: int
) -> tuple[list[_Column], Sequence[str]]:
    """The columns that fit, and a line about those that are left out."""
    zeros = {column.title for column in columns if {*column.cells} == {"0"}}
    kept, left_out = [*columns], []
    for name in sorted(spare, key=lambda name: name not in zeros):
        if _width(kept) <= width:
            break
        left_out += [column.title for column in kept if column.title == name]
        kept = [column for column in kept if column.title != name]
    empty = ", ".join(name for name in left_out if name in zeros)
    full = ", ".join(name for name in left_out if name not in zeros)
    notes = [f"0 in every line: {empty}."] if empty else []
    notes += [f"Left out to fit {counted(width, 'column')}: {full}."] if full else []
    return kept, [line for note in notes for line in wrapped(note, width)]


def _cut_to(columns: Sequence[_Column], width: int) -> Sequence[_Column]:
    """Columns that fit: without those in the middle for which there is no room, and with text cut,
    the widest first.
    """
    fitted = [*columns]
    sign = _Column(_CUT, [_CUT] * len(columns[0].cells), is_number=False)
    for number in range(len(columns), 0, -1):
        left, right = columns[: (number + 1) // 2], columns[len(columns) - number // 2 :]
        fitted = [*left, *([sign] if number < len(columns) else ()), *right]
        if _total(column.least for column in fitted) <= width:
            break
    sizes = [column.width for column in fitted]
    while _total(sizes) > width:
        room = [n for n, column in enumerate(fitted) if sizes[n] > column.least]
        if not room:
            break
        sizes[max(room, key=lambda n: sizes[n])] -= 1
    return [column.cut(size) for column, size in zip(fitted, sizes, strict=True)]


def _shortened(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + _CUT


def _texts(values: Sequence[object]) -> Sequence[str]:
    """Values as text; decimals with as many places as the one that needs most."""
    places = max((_places(value) for value in values if isinstance(value, Decimal)), default=0)
    return [
        "NULL"
        if value is None
        else f"{value:.{places}f}"
        if isinstance(value, Decimal)
        else escaped(str(value))
        for value in values
    ]


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal | Digits) and not isinstance(value, bool)
