"""`dagster dev` on a project folder: `python -m pipelines.project.dagster_dev HOST PORT`.

`fbinsights dev` becomes this process, so that Ctrl-C reaches Dagster as if it had been typed. It is
Dagster's own command, with its webserver, daemon and code server, started in the Dagster home: in
the folder itself it would let `.env` win over the environment, which wins in all of our commands.
It ends with 1 if a part of it dies.
"""

from __future__ import annotations

import logging
import os
import runpy
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

__all__ = ["main"]

_STOPPED: Final = 0
_DIED: Final = 1

_SUPERSEDED: Final = "Function `dev_command` is superseded"


class _Watch(logging.Filter):
    """Whether Dagster has said that a part of it has died."""

    has_died = False

    def filter(self, record: logging.LogRecord) -> bool:
        self.has_died |= record.exc_info is not None
        return True


class _Signals:
    """Whether somebody has asked to stop; Dagster takes SIGTERM for SIGINT."""

    was_asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.was_asked = True
        signal.default_int_handler(number, frame)


def main(host: str, port: str) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the exit code."""
    watch, asked = _Watch(), _Signals()
    logging.getLogger("dagster").addFilter(watch)
    warnings.filterwarnings("ignore", message=_SUPERSEDED)
    home = os.environ["DAGSTER_HOME"]
    os.chdir(home)
    signal.signal(signal.SIGINT, asked)
    code = _dagster(
        [
            *("dev", "--module-name", "pipelines.definitions"),
            # Nothing of the user's own is imported from there.
            *("--working-directory", home),
            *("--host", host, "--port", port),
        ]
    )
    if watch.has_died:
        return _DIED
    return _STOPPED if asked.was_asked else code


def _dagster(arguments: Sequence[str]) -> int:
    """`python -m dagster` in this process; returns its exit code."""
    sys.argv = ["dagster", *arguments]
    try:
        runpy.run_module("dagster", run_name="__main__", alter_sys=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else _DIED if done.code else _STOPPED
    except KeyboardInterrupt:  # a second one
        return _STOPPED
    return _STOPPED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
