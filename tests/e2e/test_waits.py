"""Waits for a limit, as a person meets them: a process of its own, with what another has met."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING

from fbgraph.limits.shared_cooldowns import Cooldown
from fbgraph.limits.usage import Limit
from pipelines.state.cooldowns import cooldowns_of
from tests.e2e.company import RANGE, Company, start
from tests.pace import PATIENCE_SECONDS
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from pathlib import Path


def test_who_waits_for_what_until_when_is_told_by_the_command_that_waits_and_by_doctor(
    tmp_path: Path,
) -> None:
    """An earlier process has met the limit of the app."""
    with start(accounts=1) as sandbox:
        fresh = Company(sandbox, tmp_path)
        lake = Lake(str(fresh.lake))
        lake.require_writable()
        cooldowns_of(lake.store, time.time).put(Limit(), Cooldown(1500.0, is_block=True))
        line = re.compile(
            r"All accounts wait until \d\d:\d\d UTC \(2[45] min\) for the app's limit: Meta rep"
        )

        with fresh.start("backfill", *RANGE) as running:
            assert running.stderr is not None
            said = running.stderr.readline()
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=PATIENCE_SECONDS)

        assert line.match(said)
        assert running.returncode == 130
        assert line.search(fresh.run("doctor").stdout)
