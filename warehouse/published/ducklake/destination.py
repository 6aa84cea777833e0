"""Where the published tables go besides `warehouse.duckdb`, from WAREHOUSE_PUBLISH: a DuckLake.

    ducklake:sqlite:/srv/company.sqlite?data_path=/srv/files
    ducklake:postgres:dbname=company host=db?data_path=/srv/files&keep_days=90

What is before the `?` is what DuckDB attaches: https://ducklake.select/docs/stable/duckdb/usage/connecting.
It may hold a password, so no message shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CATALOGUES", "DESTINATION_VARIABLE", "Destination", "destination_of"]

DESTINATION_VARIABLE: Final = "WAREHOUSE_PUBLISH"

#: What may be after the `?`.
_QUERY: Final = ("data_path", "keep_days")

#: Catalogue → extension that reads it besides ducklake, and options to attach it with. Readers of
#: SQLite would otherwise stop a publish, and a publish them.
CATALOGUES: Final[Mapping[str, tuple[Sequence[str], Sequence[str]]]] = {
    "ducklake:sqlite:": (
        ("sqlite_scanner",),
        ("META_JOURNAL_MODE 'WAL'", "META_BUSY_TIMEOUT 10000"),
    ),
    "ducklake:postgres:": (("postgres_scanner",), ()),
    "ducklake:": ((), ()),
}

_SYNTAX: Final = (
    f"{DESTINATION_VARIABLE} has the form ducklake:sqlite:/path/catalogue.sqlite?data_path=/path/"
    "files, with postgres:dbname=… or a path alone in place of sqlite:…: docs/ducklake.md"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """A DuckLake: the `address` of its catalogue, the folder of its files, and for how many days
    what was shown can be asked for; None: for good.
    """

    address: str = field(repr=False)
    data_path: Path
    keep_days: int | None = None

    @property
    def catalogue(self) -> str:
        """How its address begins."""
        return next(one for one in CATALOGUES if self.address.startswith(one))

    def __str__(self) -> str:
        return f"the DuckLake of {DESTINATION_VARIABLE} ({self.catalogue}…)"


def destination_of(text: str) -> Destination | None:
    """The destination that WAREHOUSE_PUBLISH names; None if it is empty. Nothing is opened yet.
    Raises WarehouseError.
    """
    if not text:
        return None
    address, _, query = text.rpartition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    catalogue = next((one for one in CATALOGUES if address.startswith(one)), "")
    if not catalogue or address == catalogue:
        raise WarehouseError(f"{_SYNTAX}. Its value does not")
    if unknown := [one for one in options if one not in _QUERY]:
        raise WarehouseError(f"{_SYNTAX}. It has no option {unknown[0]}: {', '.join(_QUERY)}")
    data_path, keep_days = options.get("data_path", ""), options.get("keep_days")
    if not data_path or "://" in data_path:
        raise WarehouseError(
            f"{_SYNTAX}. Its data_path has to be a folder that all who read it have"
        )
    if keep_days is not None and not (keep_days.isdecimal() and int(keep_days) > 0):
        raise WarehouseError(f"{_SYNTAX}. Its keep_days is a number of days, at least 1")
    return Destination(address, Path(data_path).absolute(), int(keep_days) if keep_days else None)
