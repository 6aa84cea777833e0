"""The standard streams of a command, which must not stop what it does: a load goes on whether or
not its table can be printed.

A stream that is closed (``>&-``) is as /dev/null. Where a reader has seen enough (``| head``), what
is printed after that goes nowhere, and the exit code is that of the work. Where a stream cannot be
written for another reason (a full disk), the command goes on as well, and says so at its end.
"""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["harden", "has_readers", "why_incomplete"]

_IN, _OUT, _ERR = range(3)


class _Patient(io.FileIO):
    """A stream without closing and without errors: `error` has the first one, and after it
    everything goes nowhere.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data).cast("B")
        written = 0
        while self.error is None and written < len(view):
            try:
                taken = super().write(view[written:])
                if taken is None:  # who shares the pipe made it non-blocking
                    select.select([], [self], [])
            except OSError as error:
                self.error = error
            else:
                written += taken or 0
        return len(view)


def harden() -> None:
    """Give this process standard streams that are open and that raise nothing."""
    for descriptor in (_IN, _OUT, _ERR):
        _fill(descriptor)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115  # for the whole process
    sys.stdout = _hardened(sys.stdout, _OUT)
    sys.stderr = _hardened(sys.stderr, _ERR)


def _fill(descriptor: int) -> None:
    """Open /dev/null where nothing is open: else the next file that is opened would be the standard
    stream, and be written into.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one


def _hardened(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:  # it was closed when Python began
        return Path(os.devnull).open("w", encoding="utf-8")  # for the whole process
    with suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(descriptor)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=descriptor == _ERR or stream.isatty(),
    )


def _error() -> OSError | None:
    """Why stdout could not be written, as far as that is known by now."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, _Patient) else None


def has_readers() -> bool:
    """Whether what is printed on stdout is still read, or at least kept."""
    return _error() is None


def why_incomplete() -> str:
    """Why not all that was printed on stdout is there; "" if it is, or if its reader has seen
    enough.
    """
    error = _error()
    if error is None or isinstance(error, BrokenPipeError):
        return ""
    return f"Cannot write to stdout: {error.strerror}. What was printed there is incomplete."
