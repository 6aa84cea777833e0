"""`GraphResource`: the Graph client as Dagster's assets get it.

Secrets are read from the environment when the client is opened and held nowhere else, so Dagster
never sees one: neither in a run's configuration nor in an event.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import dagster as dg

from pipelines.errors import STOPS_A_LOAD, why_full
from pipelines.settings import settings_of
from pipelines.state.dagster_home import keep_connections
from pipelines.state.homes import require_home
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.settings import Settings

__all__ = ["FAILED", "STOPPED", "GraphResource", "stopping"]

#: Keys in the metadata of a failed run: asset → partition key → why; and why everything stopped.
FAILED: Final = "failed"
STOPPED: Final = "stopped"


@contextmanager
def stopping() -> Iterator[None]:
    """Turn an error that stops everything into a Failure that reports it once, without a traceback
    of ours.
    """
    try:
        yield
    except STOPS_A_LOAD as error:
        why = str(error)
    except OSError as error:
        if not (why := why_full(error)):
            raise
    else:
        return
    raise dg.Failure(why, metadata={STOPPED: why}, allow_retries=False)


class GraphResource(dg.ConfigurableResource["GraphResource"]):
    """Opens Graph with the settings in the environment (FB_ACCESS_TOKEN, FB_GRAPH_URL, ...).

    It has no configuration of its own, so that no secret can end up in Dagster's.
    """

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """A run records hundreds of events. Ticks do not, and each has an instance of its own."""
        if context.instance is not None and context.run is not None:
            keep_connections(context.instance)

    def settings(self) -> Settings:
        """The environment now, for whatever loads or publishes the lake of this Dagster home.

        Raises ConfigError if it is wrong, and Failure if its lake is not the home's.
        """
        settings = self.environment()
        instance = self.get_resource_context().instance
        if instance is not None:
            with stopping():
                require_home(instance, open_store(settings.warehouse_url))
        return settings

    def environment(self) -> Settings:
        """The environment now, whichever lake it names. Raises ConfigError if it is wrong."""
        return settings_of(os.environ)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)
