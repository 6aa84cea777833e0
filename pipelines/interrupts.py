"""How the process of a command ends; after Ctrl-C whatever it is at: within seconds, and at once
the second time.

Python raises KeyboardInterrupt in the main thread at the next chance, and that is not enough. One
that is raised while an object is destroyed or a callback runs is printed and forgotten, and there
is no chance while the main thread waits inside a library or, at exit, for other threads. So a
thread watches: a command that has not ended by itself soon after Ctrl-C is ended by it. Nothing is
lost: what is written is whole at any moment, as after a kill.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["GRACE_SECONDS", "Interrupts", "run", "what_ctrl_c_cost", "with_cost"]

#: How long a command may take to end by itself.
GRACE_SECONDS: Final = 1.5

MESSAGE: Final = "Interrupted. No partial data was written. Run the same command again to resume."

#: What commands that are under way know better than MESSAGE. Like its signals, this is the whole
#: process's.
_costs: Final[list[Callable[[], str]]] = []

#: What stops a container is taken for Ctrl-C.
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

#: Full collections of garbage are this many times the middle ones apart.
RARELY: Final = 1000

#: Shows the cursor again, which a progress bar hides.
_SHOW_CURSOR: Final = "\x1b[?25h"


@contextmanager
def with_cost(text: Callable[[], str]) -> Iterator[None]:
    """Inside the block, `text` is printed after Ctrl-C, however the process ends; MESSAGE if it is
    empty. It is called from any thread, and also after the block if an exception ended that.
    """
    _costs.append(text)
    yield
    _costs.remove(text)


def what_ctrl_c_cost() -> str:
    """What is printed after Ctrl-C."""
    return (_costs and _costs[-1]()) or MESSAGE


class Interrupts:
    """Ends this process after Ctrl-C or SIGTERM. `was_asked`: there was one; `was_reported`: the
    command has said so. A command that handles these signals by itself is left alone.
    """

    def __init__(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self.was_asked = False
        self.was_reported = False

    def watch(self) -> None:
        """Begin, in the main thread; it goes on until the process ends."""
        self._sent, self._heard = socket.socketpair()
        self._sent.settimeout(0)  # Python writes to it in the midst of anything
        threading.Thread(target=self._listen, name="interrupts", daemon=True).start()
        signal.set_wakeup_fd(self._sent.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        self.was_asked = True
        raise KeyboardInterrupt

    def _listen(self) -> None:
        """In a thread of its own: wait for Ctrl-C, then for the second one or the end of grace."""
        while not self._hears():
            pass
        self.was_asked = True
        until = time.monotonic() + GRACE_SECONDS
        while (left := until - time.monotonic()) > 0:
            if select.select([self._heard], [], [], left)[0] and self._hears():
                break
        self.leave()

    def _hears(self) -> bool:
        """Whether one of the signals that Python reports next ends the command."""
        meant = set(SIGNALS).intersection(self._heard.recv(64))
        return any(signal.getsignal(number) == self._interrupt for number in meant)

    def leave(self) -> None:
        """End the process here and now."""
        if not self.was_reported:
            cursor, text = _SHOW_CURSOR if sys.stderr.isatty() else "", MESSAGE
            with suppress(Exception):  # whatever keeps it from knowing more
                text = what_ctrl_c_cost()
            with suppress(OSError):  # a pipe that nobody reads must not hold it up
                os.set_blocking(2, False)
                os.write(2, f"{cursor}fbinsights: {text}\n".encode())
        os._exit(self._exit_code)


def run(command: Callable[[], object], interrupted: int) -> None:
    """Run the command of this process, which ends by SystemExit; after Ctrl-C with `interrupted`,
    which the command may end with by itself.
    """
    interrupts = Interrupts(interrupted)
    interrupts.watch()
    # Imported modules are never garbage: scanning all of them again and again costs 0.15 of the
    # 0.95 CPU-s that `backfill` takes to import everything. Young objects are still scanned.
    gc.set_threshold(*gc.get_threshold()[:2], RARELY)
    code: int | None = None

    def leave() -> None:
        if interrupts.was_asked:
            interrupts.leave()
        if code is not None:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    # Python would destroy every imported object: 0.55 CPU-s at the end of every `backfill`. What is
    # registered first runs last, after all threads and the other exit handlers.
    atexit.register(leave)
    try:
        command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else None
        interrupts.was_reported = code == interrupted
        raise
