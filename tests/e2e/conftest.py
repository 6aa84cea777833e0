"""A `dagster dev` for the tests of a file: they share it, for it takes long to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.dev import Dagster, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dagster]:
    with running(tmp_path_factory.mktemp("dagster")) as started:
        yield started
