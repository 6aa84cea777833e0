"""What every new lake and every new home of Dagster begins with, made once by a process and copied.

Creating the tables, views and comments of a published file takes longer than all that a test
publishes, and so do the databases of a home of Dagster. A lake with a seed is one whose first
publisher was killed when it had created everything and copied nothing: the next one goes on. Tests
without seeds show that it can be created.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from tests.reports import KNOWN
from warehouse.published import master
from warehouse.published.connections import opened_master
from warehouse.published.publish import MASTER, SNAPSHOTS
from warehouse.schema.catalog import OWN

if TYPE_CHECKING:
    from warehouse.schema.catalog import Catalog

__all__ = ["dagster_at", "seed_home", "seed_lake"]

_CATALOGS = {"own": OWN, "known": KNOWN.catalog}


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """It goes when the process ends."""
    return tempfile.TemporaryDirectory(prefix="seeds")


@cache
def _new_master(which: str) -> Path:
    """A database in which everything is created and nothing copied."""
    path = Path(_scratch().name) / f"{which}.duckdb"
    with opened_master(path) as connection:
        master._create(connection, _CATALOGS[which])  # noqa: SLF001  # a half of a publish
    return path


@cache
def _new_home() -> Path:
    """A home of Dagster in which nothing has run."""
    home = Path(_scratch().name) / "home"
    home.mkdir()
    with dagster_at(home) as opened:
        assert opened.get_runs(limit=1) == []
    return home


def dagster_at(home: Path) -> dg.DagsterInstance:
    """Dagster with its storage in files under a folder."""
    return dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}})


def seed_lake(root: Path, catalog: Catalog = KNOWN.catalog) -> Path:
    """Put an empty master into a lake that will be published with a catalog."""
    which = next(name for name, one in _CATALOGS.items() if one is catalog)
    (folder := root / SNAPSHOTS / MASTER).mkdir(parents=True)
    shutil.copyfile(_new_master(which), folder / master.DATABASE)
    return root


def seed_home(home: Path) -> Path:
    """Put empty databases into a new home of Dagster."""
    shutil.copytree(_new_home(), home, dirs_exist_ok=True)
    return home
