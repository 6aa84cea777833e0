from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fbgraph.reports.in_memory import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes a `Bench` under scenarios."""
    with ExitStack() as stack:
        yield lambda *scenarios, **options: Bench(stack, scenarios, options)
