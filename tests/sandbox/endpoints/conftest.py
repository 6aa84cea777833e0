from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph


@pytest.fixture
def fresh(open_graph: Callable[..., Graph]) -> Graph:
    """A sandbox that this test alone may change."""
    return open_graph()
