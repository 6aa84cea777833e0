"""A Dagster home shows the grid of one lake: that of another in it would lie about both.

Which one it is stands in the home's own storage, so that all who share a Postgres share it. A home
that shows none yet, as those of earlier versions, takes the first lake it meets. A lake may move:
it is known by its id (`warehouse.lake.identity`), and one that was begun again, by its place.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pipelines.errors import ConfigError
from warehouse.errors import WarehouseError
from warehouse.lake.identity import identity_of

if TYPE_CHECKING:
    import dagster as dg

    from warehouse.storage.store import Store

__all__ = ["CHECKOUT", "Shown", "demand_home", "is_same"]

#: Where `dagster.yaml` lies in a checkout, which is a home where DAGSTER_HOME names no other.
CHECKOUT: Final = Path(__file__).resolve().parents[2]

CURSOR_KEY: Final = "fbinsights/lake"


class Shown(NamedTuple):
    """The lake of a home: its id, "" for one that was never loaded, and where it is."""

    lake_id: str
    place: str


def is_same(known: Shown, met: Shown) -> bool:
    """Whether a home that shows one lake may show the other: it was moved, or begun again."""
    return met.place == known.place or ("" != met.lake_id == known.lake_id)


def demand_home(instance: dg.DagsterInstance, store: Store) -> None:
    """Raise ConfigError where a home shows another lake. What it shows from now on is kept."""
    try:
        identity = identity_of(store)
    except WarehouseError as error:
        raise ConfigError(str(error)) from None
    met = Shown(identity.lake_id if identity else "", store.name())
    known = _known(instance)
    if known is not None and not is_same(known, met):
        raise ConfigError(
            f"The Dagster home {instance.root_directory} shows what is loaded in {known.place}, and"
            f" WAREHOUSE_URL is {met.place}: one grid cannot show two lakes. Nothing was loaded."
            " Set WAREHOUSE_URL back, or set DAGSTER_HOME to a folder of its own for this lake"
            " (with Postgres, give Dagster a database of its own)."
        )
    if met.lake_id and met != known:
        kept = json.dumps(met._asdict())
        instance.daemon_cursor_storage.set_cursor_values({CURSOR_KEY: kept})


def _known(instance: dg.DagsterInstance) -> Shown | None:
    text = instance.daemon_cursor_storage.get_cursor_values({CURSOR_KEY}).get(CURSOR_KEY, "")
    with suppress(ValueError, TypeError):
        return Shown(**json.loads(text))
    return None
