"""The door to Graph, as Dagster's assets get it.

Secrets are read from the environment when the door is opened and held nowhere else, so Dagster
never sees one: neither in a run's configuration nor in an event.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.settings import settings_of

if TYPE_CHECKING:
    from fbgraph import GraphClient
    from pipelines.settings import Settings

__all__ = ["GraphResource"]


class GraphResource(dg.ConfigurableResource["GraphResource"]):
    """Opens Graph as the environment says (FB_ACCESS_TOKEN, FB_GRAPH_URL, ...).

    It has no configuration of its own, so that no secret can end up in Dagster's.
    """

    def settings(self) -> Settings:
        """The environment now. Raises ConfigError if it is wrong."""
        return settings_of(os.environ)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def open(self) -> GraphClient:
        """A client; close it, or use it as a context manager. Raises ConfigError."""
        return self.settings().open_graph()
