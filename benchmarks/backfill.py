"""A whole `fbinsights backfill` as somebody pays for it: Dagster's start, its home, the account's
objects, control totals, report runs, rows, checks and the publish of the file.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import ROOT, print_figures
from benchmarks.serve import days_before

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = "from pipelines.cli.main import main; main()"


def main(url: str, token: str, account_id: str, days: int, folder: Path) -> Mapping[str, float]:
    """Load one account's days into a new warehouse, with a new home of Dagster; rows published, and
    CPU seconds and peak memory of the command. It starts no process of its own.
    """
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    asked = days_before(days)
    options = {"since": asked[0], "until": asked[-1], "account": account_id}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    environ = {
        "FB_GRAPH_URL": url,
        "FB_ACCESS_TOKEN": token,
        "WAREHOUSE_URL": str(folder / "lake"),
        "DAGSTER_HOME": str(folder / "home"),
        "FB_MEDIA": "0",  # what it is compared with downloads no pictures either
    }
    done = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", COMMAND, "backfill", *arguments, "--report=insights_hourly"],
        env=os.environ | environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    taken = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "rows": _rows(folder / "lake"),
        "cpu_seconds": taken.ru_utime + taken.ru_stime,
        "peak_mb": taken.ru_maxrss / 1024,  # this process, which comes before it, has 20
    }


def _rows(lake: Path) -> int:
    from warehouse.lake.partitions import Lake  # noqa: PLC0415  # when all is measured

    loads = Lake(lake).loads().to_pylist()
    return sum(int(load["rows"]) for load in loads if load["table_name"] == "insights_hourly")


if __name__ == "__main__":
    url, token, account_id, count, out = sys.argv[1:]
    print_figures(lambda: main(url, token, account_id, int(count), Path(out)))
