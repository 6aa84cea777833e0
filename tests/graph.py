"""The door to Graph that Dagster's assets get, with the time of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.resources import GraphResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["graph_by"]


def graph_by(clock: Callable[[], datetime]) -> GraphResource:
    """The door to Graph at the time of a clock."""

    class GraphByClock(GraphResource):
        def now(self) -> datetime:
            return clock()

    return GraphByClock()
