"""A `dagster dev` for the tests of a file: they share it, for it takes long to start. And a company
that nobody has loaded.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox import Sandbox
from tests.e2e.checkout import ROOT, Checkout
from tests.e2e.company import Company, start
from tests.e2e.dev import Dagster, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    with running(tmp_path_factory.mktemp("dagster")) as started:
        yield started


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Company]:
    with start(accounts=3) as sandbox:
        yield Company(sandbox, tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    shutil.copytree(ROOT / "reports", tmp_path / "reports")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("fbgraph", "warehouse", "pipelines"):
        (tmp_path / package).symlink_to(ROOT / package)
    with Sandbox(world="hostile", now=lambda: datetime(2026, 11, 23, 20, 0, tzinfo=UTC)) as sandbox:
        yield Checkout(tmp_path, sandbox)
