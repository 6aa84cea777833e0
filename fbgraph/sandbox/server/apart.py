"""The sandbox in a process of its own: a load from it has the rest of the machine, and not half of
one interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from fbgraph.sandbox.server.loopback import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

__all__ = ["SandboxApart", "sandbox_apart"]

#: What its process runs. As a script of its own, this file would be imported twice.
_PROGRAM: Final = f"import sys; from {__name__} import serve_apart; serve_apart(sys.argv[1])"

#: Seconds that a page about a whole account-day may take.
PAGE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class SandboxApart:
    """A sandbox of another process: send requests to `url` with `token`. Its pages raise
    httpx.HTTPError if it is gone.
    """

    url: str
    token: str
    account_ids: Sequence[str]

    def world(self) -> dict[str, Any]:
        """What ``/_sandbox/world`` shows."""
        return self._page("world")

    def truth(self, account_id: str, day: date) -> dict[str, Any]:
        """What ``/_sandbox/truth`` shows of an account-day."""
        return self._page("truth", account_id=account_id, date=str(day))

    def _page(self, name: str, **parameters: str) -> dict[str, Any]:
        response = httpx.get(
            f"{self.url}/_sandbox/{name}", params=parameters, timeout=PAGE_SECONDS, trust_env=False
        )
        shown: dict[str, Any] = response.raise_for_status().json()
        return shown


@contextmanager
def sandbox_apart(**options: Any) -> Iterator[SandboxApart]:
    """Run a sandbox until the block ends, or this process does. `options` are those of `Sandbox`
    that JSON can hold. Raises RuntimeError if it stops before it is ready; stderr says why.
    """
    with subprocess.Popen(  # noqa: S603  ourselves
        [sys.executable, "-c", _PROGRAM, json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONSAFEPATH": "1"},  # not a folder fbgraph where the command is run
        process_group=0,  # Ctrl-C is for the process that loads; this one ends with it
    ) as process:
        try:
            ready = process.stdout.readline()  # type: ignore[union-attr]  # it is a pipe
            if not ready:
                raise RuntimeError("The sandbox's process stopped before it was ready.")
            yield SandboxApart(**json.loads(ready))
        finally:
            process.communicate()


def serve_apart(options: str) -> None:
    """The other process: serve, write the address to standard output, and stop when standard input
    ends, as it does when the process that began this one ends. `options` are JSON.
    """
    with Sandbox(**json.loads(options)) as sandbox:
        ready = SandboxApart(sandbox.url, sandbox.token, sandbox.account_ids)
        sys.stdout.write(f"{json.dumps(asdict(ready))}\n")
        sys.stdout.flush()
        sys.stdin.read()
