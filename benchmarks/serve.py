"""The sandbox in a process of its own, so that its CPU seconds are not those of who is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.measure import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Served", "days_before", "serving"]

#: One account of it delivers about 20,000 rows of hourly insights a day.
SCALE: Final = 80
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)
LAST_DAY: Final = date(2026, 11, 21)


class Served(NamedTuple):
    """Where the sandbox is, and the account that is loaded from it."""

    url: str
    token: str
    account_id: str


@contextmanager
def serving() -> Iterator[Served]:
    """Run the sandbox until the block ends."""
    command = [sys.executable, "-m", "benchmarks.serve"]
    with subprocess.Popen(  # noqa: S603  ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield Served(*json.loads(process.stdout.readline()))  # type: ignore[union-attr]  # it is a pipe
        finally:
            process.communicate()


def days_before(count: int) -> Sequence[date]:
    """The last days that are finished in every zone, oldest first."""
    return [LAST_DAY - timedelta(days=n) for n in reversed(range(count))]


if __name__ == "__main__":
    from fbgraph.sandbox import Sandbox

    with Sandbox(world="hostile", now=lambda: NOW, scale=SCALE) as sandbox:
        print(json.dumps([sandbox.url, sandbox.token, sandbox.account_ids[0]]), flush=True)
        sys.stdin.read()
