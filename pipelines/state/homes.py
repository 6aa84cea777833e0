"""Dagster homes: each shows the grid of one lake, because the grid of another in it would be wrong
about both.

Which lake it is, the home's own storage knows, so that all who share a Postgres share it. A home
that shows none yet, as those of earlier versions, takes the first lake it meets. A lake may move:
it is recognized by its id (`warehouse.lake.identity`), or by its place if it was begun again.
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

__all__ = ["CHECKOUT", "Shown", "is_same", "require_home"]

#: The checkout with `dagster.yaml`, which is the home if DAGSTER_HOME names no other.
CHECKOUT: Final = Path(__file__).resolve().parents[2]

CURSOR_KEY: Final = "fbinsights/lake"


class Shown(NamedTuple):
    """The lake of a home: its id, "" if nothing was ever loaded, and where it is."""

    lake_id: str
    place: str


def is_same(known: Shown, met: Shown) -> bool:
    """Whether a home that shows one lake may show the other: it was moved, or begun again."""
    return met.place == known.place or ("" != met.lake_id == known.lake_id)


def require_home(instance: dg.DagsterInstance, store: Store) -> None:
    """Raise ConfigError if a home shows another lake; otherwise keep which one it shows."""
    try:
        identity = identity_of(store)
    except WarehouseError as error:
        raise ConfigError(str(error)) from None
    met = Shown(identity.lake_id if identity else "", store.name())
    known = _shown_by(instance)
    if known is not None and not is_same(known, met):
        raise ConfigError(
            f"The Dagster home {instance.root_directory} shows what is loaded in {known.place}, and"
            f" WAREHOUSE_URL is {met.place}: one grid cannot show two lakes. Nothing was loaded."
            " Set WAREHOUSE_URL back, or set DAGSTER_HOME to a folder of its own for this lake"
            " (with Postgres, give Dagster a database of its own)."
        )
    if met.lake_id and met != known:
        instance.daemon_cursor_storage.set_cursor_values({CURSOR_KEY: json.dumps(met._asdict())})


def _shown_by(instance: dg.DagsterInstance) -> Shown | None:
    text = instance.daemon_cursor_storage.get_cursor_values({CURSOR_KEY}).get(CURSOR_KEY, "")
    with suppress(ValueError, TypeError):
        return Shown(**json.loads(text))
    return None
