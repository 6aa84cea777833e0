"""What tests of several packages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def own_tables() -> Iterator[None]:
    """Tables that a test hands to the warehouse are gone after it."""
    from warehouse.schema import TABLES  # noqa: PLC0415  # tests of fbgraph need no pyarrow
    from warehouse.views import VIEWS  # noqa: PLC0415

    tables, views = dict(TABLES), dict(VIEWS)
    yield
    TABLES.clear()
    TABLES.update(tables)
    VIEWS.clear()
    VIEWS.update(views)
