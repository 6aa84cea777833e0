"""Dagster's daemon, oftener awake: ``python -m tests.scale.daemon run -m ...``

It looks for backfills every half a minute, which no setting changes, and a test has less time.
"""

from __future__ import annotations

from dagster._daemon import controller
from dagster._daemon.cli import main

if __name__ == "__main__":
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 4
    main()
