"""Prints lines: results on stdout, everything else on stderr, nothing wider than the terminal.

If a stream is not a terminal, lines are as long as they are, because programs read them.
"""

from __future__ import annotations

import io
import logging
import os
import shlex
import sys
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import IO, TYPE_CHECKING, Final

import click
from rich.cells import cell_len, chop_cells

from pipelines.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "command_lines",
    "escape_unencodable",
    "hanging",
    "only_once",
    "print_note",
    "quieten",
    "warnings_printed",
    "width_of",
    "wrapped",
]

#: Columns of a terminal that does not report its width.
USUAL_COLUMNS: Final = 80


def print_note(text: str = "") -> None:
    """Print a line for the user that is not part of the result. It is wrapped on a terminal."""
    width = width_of(sys.stderr)
    for line in text.split("\n"):
        for piece in wrapped(escaped(line), width):
            click.echo(piece, err=True)


def width_of(stream: IO[str]) -> int | None:
    """Columns of a terminal; None if the stream is not one."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def wrapped(line: str, width: int | None, indent: str = "") -> Sequence[str]:
    """A line in pieces of at most `width` cells, cut between words where that is possible. What
    follows the first piece is indented like it, and by `indent`.
    """
    if width is None or cell_len(line) <= width:
        return [line]
    first = line[: len(line) - len(line.lstrip(" "))]
    room = max(width - cell_len(first + indent), 1)
    pieces, piece = [], ""
    for part in chain.from_iterable(chop_cells(word, room) for word in line.split()):
        longer = f"{piece} {part}" if piece else part
        if cell_len(longer) > room:
            pieces.append(piece)
            longer = part
        piece = longer
    pieces.append(piece)
    return [first + (indent if n else "") + one for n, one in enumerate(pieces)]


def hanging(head: str, text: str, width: int | None) -> Sequence[str]:
    """Text after a head, its further lines below its first. Where there is no room for that, below
    the head.
    """
    if width is None or cell_len(head + text) <= width:
        return [head + text]
    margin = " " * cell_len(head)
    if len(margin) > width // 2:
        return [head.rstrip(), *wrapped(f"    {text}", width)]
    first, *others = (line for one in text.split("\n") for line in wrapped(margin + one, width))
    return [head + first.removeprefix(margin), *others]


def command_lines(command: str, width: int | None) -> Sequence[str]:
    """A command in lines that a shell takes as one: each but the last ends in a backslash."""
    words = shlex.split(command)
    options = [n for n, word in enumerate(words) if n and word.startswith("--")]
    bounds = [0, *options, len(words)]
    pieces = [shlex.join(words[start:end]) for start, end in pairwise(bounds)]
    lines = [f"  {pieces[0]}"]
    for piece in pieces[1:]:
        if width is not None and cell_len(f"{lines[-1]} {piece} \\") > width:
            lines[-1] += " \\"
            lines.append(f"    {piece}")
        else:
            lines[-1] += f" {piece}"
    return lines


def only_once() -> Callable[[logging.LogRecord], bool]:
    """A filter that passes each text once: each run of a command has a client of its own, and each
    of them logs the same warnings.
    """
    printed: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = text not in printed
        printed.add(text)
        return new

    return is_new


def escape_unencodable() -> None:
    r"""Names of accounts come in every script: a terminal that lacks one shows ``\u6771``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Warnings(logging.Handler):
    """Prints with `print_note`, so above a progress bar and not into it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print_note(self.format(record))
        except Exception:  # noqa: BLE001  # as every handler: a warning stops nothing
            self.handleError(record)


#: One for the process, so that a command can make it quiet.
_WARNINGS: Final = _Warnings(logging.WARNING)


def _is_not_an_outcome(record: logging.LogRecord) -> bool:
    """Outcomes of account-days are printed at the end, with what to do."""
    return not hasattr(record, "outcome") and not getattr(record, "is_final", False)


@contextmanager
def warnings_printed() -> Iterator[None]:
    """Print our own warnings on stderr. Dagster's log has them too, and the rest."""
    _WARNINGS.setLevel(logging.WARNING)
    _WARNINGS.filters = [_is_not_an_outcome, only_once()]
    loggers = [logging.getLogger(name) for name in ("fbgraph", "warehouse", "pipelines")]
    for logger in loggers:
        logger.addHandler(_WARNINGS)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(_WARNINGS)


def quieten() -> None:
    """Print no warnings; errors still are."""
    _WARNINGS.setLevel(logging.ERROR)
