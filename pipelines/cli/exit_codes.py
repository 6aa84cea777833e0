"""The exit codes of the command line, for scripts."""

from typing import Final

__all__ = ["ALL_DONE", "INTERRUPTED", "SOME_FAILED", "WRONG_USE"]

ALL_DONE: Final = 0
SOME_FAILED: Final = 1  # account-days that failed or stay unproven; what doctor wants done
WRONG_USE: Final = 2  # usage, configuration or token; a disk that is full
INTERRUPTED: Final = 130  # as shells have it: 128 + SIGINT
