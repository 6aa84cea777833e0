"""Dagster homes: each shows the grid of one lake, because the grid of another in it would be wrong
about both.

Which lake it is, the home's own storage knows, so that all who share a Postgres share it. A home
that shows none yet, as those of earlier versions, takes the first lake it meets. A lake may move:
it is recognized by its id (`warehouse.lake.identity`), or by its place if it was begun again.

A command opens Dagster when it has loaded. A copy in a small file of the home tells it, without
Dagster, whether to ask the storage before it loads.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pipelines.errors import ConfigError
from warehouse.errors import WarehouseError
from warehouse.lake.identity import identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagster as dg

    from warehouse.storage.store import Store

__all__ = [
    "CHECKOUT",
    "Shown",
    "home_of",
    "is_same",
    "require_home",
    "seems_to_show_another",
    "state_of",
]

#: The checkout with `dagster.yaml`, which is the home if DAGSTER_HOME names no other.
CHECKOUT: Final = Path(__file__).resolve().parents[2]

CURSOR_KEY: Final = "fbinsights/lake"

#: The copy of what a home's storage says, in the folder of its state.
NOTE: Final = "fbinsights_lake.json"


class Shown(NamedTuple):
    """The lake of a home: its id, "" if nothing was ever loaded, and where it is."""

    lake_id: str
    place: str


def is_same(known: Shown, met: Shown) -> bool:
    """Whether a home that shows one lake may show the other: it was moved, or begun again."""
    return met.place == known.place or ("" != met.lake_id == known.lake_id)


def home_of(environ: Mapping[str, str]) -> Path:
    """The folder that DAGSTER_HOME names, else the checkout. Raises ConfigError."""
    home = Path(environ.get("DAGSTER_HOME") or CHECKOUT).expanduser()
    if not (home.is_absolute() and home.is_dir()):
        raise ConfigError(
            f"DAGSTER_HOME must be the absolute path of an existing folder, not '{home}'."
        )
    return home.resolve()


def state_of(home: Path) -> Path:
    """Where a home keeps what it remembers: the checkout in the folder that its settings name."""
    return CHECKOUT / ".dagster" if home == CHECKOUT else home


def seems_to_show_another(environ: Mapping[str, str], store: Store) -> bool:
    """Whether a home shows another lake, by the copy: its storage knows. Raises ConfigError where
    the home is not a folder.
    """
    known = _read(_noted(state_of(home_of(environ)) / NOTE))
    return known is not None and not is_same(known, _met(store))


def require_home(instance: dg.DagsterInstance, store: Store) -> None:
    """Raise ConfigError if a home shows another lake; otherwise keep which one it shows."""
    met, home = _met(store), Path(instance.root_directory)
    storage = instance.daemon_cursor_storage
    known = _read(storage.get_cursor_values({CURSOR_KEY}).get(CURSOR_KEY, ""))
    if known is not None and not is_same(known, met):
        raise ConfigError(
            f"The Dagster home {home} shows what is loaded in {known.place}, and WAREHOUSE_URL is"
            f" {met.place}: one grid cannot show two lakes. Set WAREHOUSE_URL back, or set"
            " DAGSTER_HOME to a folder of its own for this lake (with Postgres, give Dagster a"
            " database of its own)."
        )
    if met.lake_id:
        kept = json.dumps(met._asdict())
        if met != known:
            storage.set_cursor_values({CURSOR_KEY: kept})
        _note(state_of(home) / NOTE, kept)


def _met(store: Store) -> Shown:
    """The lake that a home meets. Raises ConfigError where it cannot be read."""
    try:
        identity = identity_of(store)
    except WarehouseError as error:
        raise ConfigError(str(error)) from None
    return Shown(identity.lake_id if identity else "", store.name())


def _read(text: str) -> Shown | None:
    with suppress(ValueError, TypeError):
        return Shown(**json.loads(text))
    return None


def _noted(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""


def _note(path: Path, text: str) -> None:
    if _noted(path) != text:
        with suppress(OSError):  # then the next command asks the storage at its end alone
            aside = path.with_name(f"{path.name}.{os.getpid()}")
            aside.write_text(text, encoding="utf-8")
            aside.replace(path)
