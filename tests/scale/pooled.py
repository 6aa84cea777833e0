"""A run whose steps hold a place in a pool: ``python -m tests.scale.pooled FOLDER``.

A step fails when another one is inside, and leaves only when somebody waits outside, or nobody is
left who could.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of ops as objects.
import os
import sys
from pathlib import Path
from typing import Final

import dagster as dg

from tests.scale.services import wait_until

__all__ = ["POOL", "PROCESSES"]

POOL: Final = "one_place"
PROCESSES: Final = 2


class Folder(dg.Config):
    """Where the processes leave what they saw."""

    path: str


@dg.op(pool=POOL, ins={"after": dg.In(dg.Nothing)})
def holds(context: dg.OpExecutionContext, config: Folder) -> None:
    folder = Path(config.path)
    inside = folder / "inside"
    inside.touch(exist_ok=False)  # FileExistsError: the other one is inside

    def somebody_waits() -> bool:
        # Who waits: any step of the other run. `pending_step_count` counts only those that Dagster
        # has not promised the place to, and it promises one place to two that ask at once.
        steps = context.instance.event_log_storage.get_concurrency_info(POOL).pending_steps
        waits = any(step.run_id != context.run_id for step in steps)
        if waits:
            (folder / f"{os.getpid()}.saw").touch()
        return waits or len(list(folder.glob("*.gone"))) == PROCESSES - 1

    wait_until(somebody_waits)
    inside.unlink()


@dg.job(executor_def=dg.in_process_executor)
def pooled() -> None:
    # One after the other, so that who waits is the other process.
    holds.alias("second")(after=holds.alias("first")())


if __name__ == "__main__":
    place = {"config": {"path": sys.argv[1]}}
    with dg.DagsterInstance.get() as instance:
        done = pooled.execute_in_process(
            instance=instance, run_config={"ops": {"first": place, "second": place}}
        )
    Path(sys.argv[1], f"{os.getpid()}.gone").touch()
    sys.exit(0 if done.success else 1)
