"""A `dagster dev` for the tests of a file: they share it, for it takes long to start. And a company
that nobody has loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
    with start() as sandbox:
        yield Company(sandbox, tmp_path)
