"""The code server of a deployment: `python -m pipelines.project.code_server [HOST] [PORT]`.

It is Dagster's own. In addition, the runs of the one before it are ended (`orphans`), so that
Dagster starts them again. That has to wait until the daemon can: it drops a run that it cannot
start again at once, and it looks for a code server once a minute.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.project.healthcheck import why_unhealthy
from pipelines.project.orphans import fail, orphans_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "serves_for"]

HOST: Final = "0.0.0.0"  # noqa: S104  # other containers connect to it
PORT: Final = "4000"

#: Dagster's daemon reads its workspace again every 60 s.
DAEMON_SECONDS: Final = 75.0
LOOK_SECONDS: Final = 1.0


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal; the exit code of Dagster's server. Raises KeyError without
    DAGSTER_HOME.
    """
    host, port = [*arguments, *(HOST, PORT)[len(arguments) :]]
    with dg.DagsterInstance.get() as instance:
        orphans = orphans_of(instance)
    server = subprocess.Popen(  # noqa: S603  # Dagster's own
        [
            *(sys.executable, "-m", "dagster", "code-server", "start"),
            *("--host", host, "--port", port, "--module-name", "pipelines.definitions"),
            # Nothing of the user's own is imported from there.
            *("--working-directory", os.environ["DAGSTER_HOME"]),
        ]
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: server.send_signal(number))
    if orphans and serves_for(DAEMON_SECONDS, server, f"127.0.0.1:{port}"):
        with dg.DagsterInstance.get() as instance:
            fail(instance, orphans)
    return server.wait()


def serves_for(seconds: float, server: subprocess.Popen[bytes], address: str) -> bool:
    """Wait until a server has served for these `seconds`; False if it ended before."""
    since: float | None = None
    while server.poll() is None:
        now = time.monotonic()
        if since is None and not why_unhealthy("code", "", address, time.time()):
            since = now
        if since is not None and now - since >= seconds:
            return True
        time.sleep(LOOK_SECONDS)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
