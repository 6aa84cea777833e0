"""How a command prints: for a person, or for a program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.cli.output.terminal import print_note, quieten

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FOR_PEOPLE", "Style", "styled"]


@dataclass(frozen=True, slots=True)
class Style:
    """`is_json`: an object a line on stdout, and nothing else there. `is_quiet`: the result and
    what failed, without progress, warnings and advice.
    """

    is_json: bool = False
    is_quiet: bool = False

    def remark(self, text: str) -> None:
        """A line that a person may want, on stderr."""
        if not (self.is_quiet or self.is_json):
            print_note(text)

    def error(self, text: str) -> None:
        """A line about what failed, on stderr; as JSON it is in the objects."""
        if not self.is_json:
            print_note(text)


#: How a command prints that is not told how.
FOR_PEOPLE: Final = Style()


def styled(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--json` and `--quiet` to a command; it is called with a `style`."""

    @click.option(
        "--json",
        "is_json",
        is_flag=True,
        help="Print one JSON object per line, the totals last (docs/operations.md).",
    )
    @click.option(
        "--quiet", "is_quiet", is_flag=True, help="Print only the result and what failed."
    )
    @wraps(command)
    def run(*args: Any, is_json: bool, is_quiet: bool, **options: Any) -> None:
        if is_quiet:
            quieten()
        command(*args, style=Style(is_json, is_quiet), **options)

    return run
