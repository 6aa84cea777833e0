"""A lake from the sandbox, published, and a copy of `examples/dbt` on it, with a dbt of its own.

Elsewhere than in `make test-dbt` nothing of this folder runs: dbt is not among our dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.objects import load_objects
from pipelines.loading.partitions import AccountDay
from tests.objects import NEEDED
from tests.pace import QUICK_DISK
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
BIN: Final = ROOT / ".venv" / "dbt" / "bin"

REPORTS: Final = ("insights_hourly", "insights_daily")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "DBT" not in os.environ and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs dbt: make test-dbt"))


@dataclass(frozen=True)
class Loaded:
    """A lake, where it came from, and its days: the last one is open in most zones."""

    lake: Lake
    sandbox: Sandbox
    days: Sequence[date]


@dataclass(frozen=True)
class Project:
    """A copy of the example, and the published file that it reads."""

    folder: Path
    published: Path

    @property
    def printed(self) -> Path:
        """What the build of the marts printed."""
        return self.folder / "printed.txt"

    @property
    def marts(self) -> Path:
        return self.folder / "marts.duckdb"

    def start(self, program: str, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a program of dbt's environment, which reaches no network."""
        settings = {
            **QUICK_DISK,
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(HERE),
            "TRIED_HOSTS": str(self.folder / "tried_hosts"),
            "FBINSIGHTS_PUBLISHED": str(self.published),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
            "DBT_USE_COLORS": "False",
        }
        return subprocess.Popen(  # noqa: S603  # our own command
            [str(BIN / program), *arguments],
            cwd=self.folder,
            env=settings | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, program: str, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run one; its exit code and what it printed."""
        with self.start(program, *arguments, **environ) as running:
            printed, _ = running.communicate(timeout=300)
        return running.returncode, printed


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Three days of each account, by hour and by day, all loaded a week ago by the clock of this
    machine, which dbt looks at. At 20:00 UTC the day has begun everywhere, and is over in the east.
    """
    week_ago = datetime.now(UTC) - timedelta(days=7)
    now = week_ago.replace(hour=20, minute=0, second=0, microsecond=0)
    days = [now.date() - timedelta(days=back) for back in (3, 2, 0)]
    lake = Lake(tmp_path_factory.mktemp("company") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(now=lambda: now) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, now)
        accounts = accounts_in(lake)
        asked_of = {**NEEDED, "creatives": OBJECT_TABLES["creatives"]}
        load_objects(client, lake, asked_of, accounts, lambda: now)
        loader = Loader(client, lake, accounts, "run-1", now=lambda: now)
        wanted = [AccountDay(account_id, day) for account_id in accounts for day in days]
        for report in REPORTS:
            for outcome in loader.load(KNOWN.by_name[report], wanted):
                assert outcome.load
        publish(lake.root)
        yield Loaded(lake, sandbox, days)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, loaded: Loaded) -> Project:
    """Where it is in a checkout, so that paths in workspace.yaml lead to our Python."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    folder = checkout / "examples" / "dbt"
    leave = shutil.ignore_patterns("target", "logs", ".venv", "*.duckdb")
    shutil.copytree(ROOT / "examples" / "dbt", folder, ignore=leave)
    return Project(folder, Path(loaded.lake.root) / "warehouse.duckdb")
