"""A command on a pseudo-terminal: what a person sees who has so many columns."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import termios
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Seen", "Terminal", "run_on_terminal"]

#: Sequences that move the cursor or set colours: they take no room.
CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


@dataclass(frozen=True)
class Seen:
    """What was written to a terminal, and the exit code."""

    code: int
    raw: str

    @property
    def lines(self) -> Sequence[str]:
        """Lines without colours; one that was written over another counts too."""
        return [line for line in re.split(r"[\r\n]+", CONTROL.sub("", self.raw)) if line]

    @property
    def text(self) -> str:
        """Its words, however they were wrapped."""
        return " ".join(" ".join(self.lines).split())

    def wider_than(self, columns: int) -> Sequence[str]:
        return [line for line in self.lines if cell_len(line) > columns]


class Terminal:
    """A terminal of so many columns. Use it as a context manager; its `end` is what a command gets
    as its stdin, stdout and stderr.
    """

    def __init__(self, columns: int, lines: int = 50) -> None:
        self.master, self.end = os.openpty()
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, size)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in (self.master, self.end):
            with suppress(OSError):
                os.close(descriptor)

    def read_all(self) -> str:
        """Everything until nobody writes any more."""
        os.close(self.end)
        with suppress(OSError):  # Linux: the other end is closed
            while chunk := os.read(self.master, 65536):
                self._received += chunk
        return self._received.decode()

    def wait_for(self, text: str) -> None:
        """Read until a text has come."""
        while text.encode() not in self._received:
            self._received += os.read(self.master, 65536)

    def press_ctrl_c(self) -> None:
        os.write(self.master, b"\x03")


def run_on_terminal(
    command: Sequence[str],
    columns: int,
    *,
    cwd: Path,
    env: Mapping[str, str],
    ctrl_c_after: str = "",
) -> Seen:
    """Run a command to its end; Ctrl-C is pressed as soon as a text has been written."""
    with Terminal(columns) as terminal:
        with subprocess.Popen(  # noqa: S603  # our own command
            ["setsid", "--ctty", "--wait", *command],  # noqa: S607  # so that Ctrl-C reaches it
            cwd=cwd,
            env={"TERM": "xterm-256color", **env},
            stdin=terminal.end,
            stdout=terminal.end,
            stderr=terminal.end,
        ) as running:
            if ctrl_c_after:
                terminal.wait_for(ctrl_c_after)
                terminal.press_ctrl_c()
            raw = terminal.read_all()
        return Seen(running.returncode, raw)
