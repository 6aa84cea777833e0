"""A company to load: one sandbox, one folder, and the command that a person would run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import warehouse
from fbgraph.sandbox import Sandbox
from tests.pace import QUICK_DISK
from tests.seeds import seed_home, seed_lake

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAYS = [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]
RANGE = ("--since", str(DAYS[0]), "--until", str(DAYS[-1]), "--report", "insights_hourly")

SECRET = "not-for-anyone-to-see"  # noqa: S105  # invented

ROOT = Path(__file__).parents[2]

#: What the README's reader is told to ask.
QUESTION = (
    "select account_id, date, count(*) as n, sum(spend) as spend"
    " from insights_hourly group by all order by all"
)


@dataclass
class Company:
    """One sandbox, one folder, and the command with the environment that points at both."""

    sandbox: Sandbox
    folder: Path
    is_seeded: bool = True

    def run(
        self, *arguments: str, stdin: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **environ) as running:
            stdout, stderr = running.communicate(stdin, timeout=300)
        return subprocess.CompletedProcess(arguments, running.returncode, stdout, stderr)

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line into bash, where ``fbinsights`` is the command."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603  # our own line
            ["/bin/bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=self.settings | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def settings(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            **QUICK_DISK,
            "HOME": str(self.folder),
            "DAGSTER_HOME": str(self.home),
            "FB_GRAPH_URL": self.sandbox.url,
            "FB_ACCESS_TOKEN": self.sandbox.token,
            "FB_REPORTS": str(ROOT / "reports"),
            "FB_APP_SECRET": SECRET,
            "WAREHOUSE_URL": str(self.lake),
            # The sandbox's clock stands, that of the commands does not: addresses would be old.
            "FB_MEDIA": "0",
        }

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).with_name("fbinsights")), *arguments]
        return subprocess.Popen(  # noqa: S603  # our own command
            command,
            cwd=self.folder,
            env=self.settings | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def home(self) -> Path:
        home = self.folder / "dagster"
        if not home.exists():
            seed_home(home)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return home

    @property
    def lake(self) -> Path:
        lake = self.folder / "lake"
        return lake if lake.exists() or not self.is_seeded else seed_lake(lake)

    def answers(self) -> list[tuple[str, date, int, Decimal]]:
        """What the published file says to QUESTION."""
        with warehouse.open(self.lake) as opened:
            return opened.sql(QUESTION).fetchall()

    def loads(self) -> list[tuple[str, Decimal]]:
        """Day and spend of every account-day that the published file has."""
        asked = (
            "from loads select date::text, spend where table_name = 'insights_hourly' order by 1"
        )
        with warehouse.open(self.lake) as opened:
            return opened.sql(asked).fetchall()

    def truth(self, account_ids: Sequence[str] = ()) -> list[tuple[str, date, int, Decimal]]:
        """What the sandbox says to the same question."""
        told = [
            (i, day, self.sandbox.truth(i, day))
            for i in account_ids or self.sandbox.account_ids
            for day in DAYS
        ]
        return sorted(
            (i, day, truth["count"], Decimal(truth["sums"]["spend"]))
            for i, day, truth in told
            if truth["count"]
        )


def start(accounts: int | None = None) -> Sandbox:
    """Its sandbox, with all seven accounts of the world or the first ones."""
    return Sandbox(world="hostile", now=lambda: NOW, app_secret=SECRET, accounts=accounts)
