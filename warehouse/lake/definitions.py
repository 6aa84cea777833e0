"""The definitions of a lake's tables of reports, each in a file of its own.

    .tables/by_country.json

A load writes the definition of its table before the rows; publishing from a project writes those of
all its reports. So everyone else who publishes or opens the lake has the same tables. The
warehouse's own are in its code; `insights_daily` is kept as a report defines it, with more columns
or in another order.

As long as a table has files, its definition may change in its fields only: rows of two keys
(`schema.keys`) in one table could not be told apart.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from warehouse.errors import (
    ChangedKeyError,
    InaccessibleError,
    NotAFolderError,
    UnfitTableError,
)
from warehouse.lake.paths import DATA_FILE
from warehouse.schema.keys import key_changes
from warehouse.schema.periods import Period
from warehouse.schema.table import KINDS, Column, Table
from warehouse.schema.tables import SCHEMA_VERSION, TABLES
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warehouse.schema.catalog import Catalog
    from warehouse.schema.keys import KeyChange
    from warehouse.storage.store import Store

__all__ = [
    "FOLDER",
    "LakeTables",
    "changed_key",
    "keep_definition",
    "keep_definitions",
    "key_advice",
    "lake_tables",
    "require_same_key",
]

_log = logging.getLogger(__name__)

FOLDER: Final = ".tables"

#: Folders that files of a table may be in.
PARTITIONS: Final[Sequence[Sequence[str]]] = ((), ("account_id",), ("account_id", "date"))

#: A name that can be part of a path and of SQL as it is, and differs from others in more than case.
_NAME: Final = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class LakeTables:
    """All known tables of a lake. `left_out`: the name of each whose definition cannot be used →
    why, and what to do.
    """

    catalog: Catalog
    left_out: Mapping[str, str] = field(default_factory=dict)


def lake_tables(store: Store, catalog: Catalog) -> LakeTables:
    """The tables of a catalog, and those whose definitions the lake has kept. Those that the
    catalog was given win: they are newer; but not if the lake has files with another key. Lists one
    small folder, and reads the files in it. Raises OSError for one that cannot be read.
    """
    found, known = store.scan(f"{FOLDER}/*.json"), catalog.tables.keys()
    wanted = {_name_at(one.key): one.key for one in found.files}
    left_out = {}
    for key, error in found.unreadable.items():
        if key == FOLDER:
            # Who cannot see definitions would take their tables for gone; a project has its own.
            if catalog.given and isinstance(error, NotAFolderError):
                continue
            raise error
        if _name_at(key) not in catalog.given:
            left_out[_name_at(key)] = str(error)
    saved = store.each(lambda key: _saved(store, key), wanted.values())
    for (name, key), definition in zip(wanted.items(), saved, strict=True):
        if definition is not None and not _is_replaced(store, definition, catalog, name):
            try:
                catalog = catalog.with_table(_parsed(name, definition), is_given=False)
            except (ValueError, UnfitTableError) as error:
                left_out[name] = f"{store.name(key)} cannot be used: {error}"
    # A caller that was given no table at all, like `warehouse.publish`, publishes what others load.
    only_here = catalog.tables.keys() - known if catalog.given else ()
    return LakeTables(replace(catalog, kept=frozenset(only_here)), left_out)


def _is_replaced(store: Store, definition: Any, catalog: Catalog, name: str) -> bool:
    """Whether the table that a catalog was given is used instead of a kept definition."""
    return name in catalog.given and not _changed(store, definition, catalog.tables[name])


def _name_at(key: str) -> str:
    return key.removeprefix(f"{FOLDER}/").removesuffix(".json")


def keep_definitions(store: Store, catalog: Catalog) -> None:
    """Keep the definition of each table that a catalog was given, unless it is already kept.

    If one cannot be written, that is logged: it only matters to those who publish without it. So is
    a changed key: the table is published as the lake has it.
    """
    try:
        for name in sorted(catalog.given):
            try:
                keep_definition(store, catalog.tables[name])
            except ChangedKeyError as error:
                _log.warning("%s", error)
    except OSError as error:
        _log.warning(
            "The definitions of tables cannot be written into the lake, so a publish from another "
            "machine may miss tables of reports: %s. Fix that, then publish again.",
            error,
        )


def keep_definition(store: Store, table: Table) -> None:
    """Keep the definition of a table, unless it is already kept. Raises OSError, and
    ChangedKeyError if the lake has files of the table with another key.

    One of the warehouse's own that equals the code's needs no file.
    """
    if not _NAME.fullmatch(table.name):
        return
    key, wanted = _key_of(table.name), _values(table)

    def decide() -> Mapping[str, Any] | None:
        saved = _saved(store, key)
        if _is_same(saved, wanted):
            return None
        _require_same_key(store, saved, table)
        return wanted

    if decide() is not None:
        change(store, key, decide)


def require_same_key(store: Store, table: Table) -> None:
    """Raise ChangedKeyError if the lake has files of the table with another key; reads as
    `changed_key`.
    """
    _require_same_key(store, _saved(store, _key_of(table.name)), table)


def changed_key(store: Store, table: Table) -> Sequence[KeyChange]:
    """What differs between the key of a table and that of its files in the lake, if it has any. One
    small file is read. Raises OSError if it cannot be.
    """
    return _changed(store, _saved(store, _key_of(table.name)), table)


def key_advice(store: Store, table: str) -> str:
    """What a person does about the changed key of a table."""
    return (
        f"since the table {table} was loaded, and rows of both must not mix: undo the change, or"
        " give the report another name. To start the table over, remove the folder"
        f" {store.name(table)} first"
    )


def _require_same_key(store: Store, saved: Any, table: Table) -> None:
    if changes := _changed(store, saved, table):
        what = " and ".join(map(str, changes))
        raise ChangedKeyError(table.name, f"{what} {key_advice(store, table.name)}")


def _changed(store: Store, saved: Any, table: Table) -> Sequence[KeyChange]:
    """As `changed_key`, for the content of the small file; nothing if that is damaged."""
    try:
        changes = key_changes(_table(saved), table)
    except _DAMAGE:
        return ()
    folders = [f"{folder}=*" for folder in table.partitions or ()]
    if changes and store.find("/".join([table.name, *folders, DATA_FILE])):
        return changes
    return ()


def _key_of(name: str) -> str:
    return f"{FOLDER}/{name}.json"


def _is_same(saved: Any, wanted: Mapping[str, Any]) -> bool:
    if saved is None:
        own = TABLES.get(str(wanted["name"]))
        return own is not None and _values(own) == wanted
    return bool(saved == wanted)


def _saved(store: Store, key: str) -> Any:
    """The content of a file: None if it does not exist, "" if it is damaged or may not be read, for
    then it is rewritten too.
    """
    try:
        return load(store, key) or ""
    except FileNotFoundError:
        return None
    except (InaccessibleError, ValueError):
        return ""


# -- a table as JSON -------------------------------------------------------------------------------


def _values(table: Table) -> Mapping[str, Any]:
    return {
        "name": table.name,
        "schema_version": SCHEMA_VERSION,
        "meaning": table.meaning,
        "grain": [*table.grain],
        "partitions": None if table.partitions is None else [*table.partitions],
        "columns": [_column_values(column) for column in table.columns],
        **({} if table.period is Period.DAY else {"period": table.period}),
    }


def _column_values(column: Column) -> Mapping[str, Any]:
    """A column without its empty properties. `type` is Arrow's, for people and for code that does
    not know the kind.
    """
    more = {
        "unit": column.unit,
        "breakdown": column.breakdown,
        "windows": [*column.windows],
        "keys": [*column.keys],
        "inside": [*column.inside],
        "moves": column.moves,
    }
    return {
        "name": column.name,
        "kind": column.kind,
        "type": str(column.arrow_type),
        "source": column.source,
        "meaning": column.meaning,
        **{name: value for name, value in more.items() if value},
        **({"by_type": column.by_type} if column.kind == "actions" else {}),
    }


def _parsed(name: str, saved: Any) -> Table:
    """The table of a definition. Raises ValueError, which says what is wrong and what to do."""
    try:
        table = _table(saved)
        is_newer = int(saved["schema_version"]) > SCHEMA_VERSION
        types = {str(values["name"]): str(values["type"]) for values in saved["columns"]}
        text = json.dumps(saved, ensure_ascii=False)
        text.encode()  # DuckDB takes neither half a surrogate nor a NUL
    except _DAMAGE:
        raise ValueError(f"it is damaged. {_REPAIR}") from None
    if "\\u0000" in text:
        raise ValueError(f"it is damaged. {_REPAIR}")
    if wrong := _wrong(name, table, types if is_newer else {}):
        raise ValueError(f"{wrong}. {_UPGRADE if is_newer else _REPAIR}")
    return _completed(table)


def _table(saved: Any) -> Table:
    """The table of a definition, whether it can be published or not. Raises one of `_DAMAGE`."""
    return Table(
        str(saved["name"]),
        tuple(map(str, saved["grain"])),
        str(saved["meaning"]),
        tuple(_column(values) for values in saved["columns"]),
        tuple(map(str, saved["partitions"])),
        Period(saved.get("period", Period.DAY)),
    )


#: What wrong values in a definition make of Python.
_DAMAGE: Final = (KeyError, TypeError, AttributeError, ValueError)

_REPAIR: Final = (
    "To rewrite it, reload a day of the report, or publish from the project that defines it"
)
_UPGRADE: Final = "A newer fbinsights wrote it: upgrade this one, then publish again"


def _completed(table: Table) -> Table:
    """A table of the warehouse itself has the columns of this code, not those that were kept."""
    own = TABLES.get(table.name)
    if own is None:
        return table
    ours = {column.name: column for column in own.columns}
    there = {column.name: ours.get(column.name, column) for column in table.columns}
    return replace(table, columns=tuple((there | ours).values()))


def _column(values: Mapping[str, Any]) -> Column:
    source, kind, by_type = str(values["source"]), str(values["kind"]), values.get("by_type")
    return Column(
        str(values["name"]),
        kind,
        str(values["meaning"]),
        str(values.get("unit", "")),
        field=None if source == values["name"] else source,
        breakdown=bool(values.get("breakdown")),
        windows=tuple(map(str, values.get("windows", ()))),
        keys=tuple(map(str, values.get("keys", ()))),
        inside=tuple(map(str, values.get("inside", ()))),
        moves=bool(values.get("moves")),
        by_type=(None if by_type is None else bool(by_type)) if kind == "actions" else True,
    )


def _wrong(name: str, table: Table, types: Mapping[str, str]) -> str:
    """Why a table cannot be published; "" if it can. `types` are those that columns must have:
    older code may have written narrower ones, which is fine.
    """
    if table.name != name or not _NAME.fullmatch(name):
        return f"it defines {table.name!r}"
    if not table.columns:
        return "it has no columns"
    for column in table.columns:
        if column.kind not in KINDS or (column.kind != "actions" and column.windows + column.keys):
            return f"the kind {column.kind!r} of the column {column.name} is not known here"
        if types and types[column.name] != str(column.arrow_type):
            return f"the column {column.name} is {types[column.name]}, not {column.arrow_type}"
    missing = {*table.grain, *(table.partitions or ())} - {column.name for column in table.columns}
    if missing:
        return f"it has no column {min(missing)}"
    return "" if table.partitions in PARTITIONS else f"its folders are {table.partitions}"
