"""The table of another loader, opened read-only: one of a DuckDB file, Parquet files, or a CSV."""

from __future__ import annotations

from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from pipelines.comparing.names import ROLE_COLUMNS, their_columns
from pipelines.errors import ConfigError
from warehouse.schema.sql import literal, name
from warehouse.schema.views.results import RESULTS
from warehouse.wording import brief, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.comparing.names import TheirColumns

__all__ = ["OURS", "first_line", "opened"]

#: The published file in the connection.
OURS: Final = "ours"
_THEIRS: Final = "other"

_PARQUET: Final = (".parquet", ".pq")
_TEXT: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz")

#: Tables that a message lists.
_MOST_LISTED: Final = 20

#: The action type that `purchases` counts, in ours.
_PURCHASE: Final = RESULTS[0].action_type


def opened(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    table: str,
    given: Mapping[str, str],
    account_id: str = "",
) -> tuple[TheirColumns, int]:
    """Make the view `theirs` (account, day, ad, hour, currency, loaded, one column for each number
    by its role, NULL as 0) and `theirs_once`, the same without copies of rows. `account_id`: whose
    all rows are, if no column says it. Returns their columns, and how many rows have no account or
    no day. Raises ConfigError.
    """
    relation = _relation(connection, source, table)
    try:
        described = connection.execute(f"DESCRIBE FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise ConfigError(f"{source} cannot be read: {first_line(error)}") from error
    kinds = {str(row[0]): str(row[1]) for row in described}
    columns = their_columns([*kinds], given, one_account=bool(account_id))
    made = _made(columns, kinds, account_id)
    # What a loader adds to each row does not tell rows apart.
    added = columns.by_role.get("loaded")
    used = {*columns.by_role.values()} - {added}
    apart = [one for one in kinds if one in used or (one != added and not one.startswith("_"))]
    own = ", ".join(map(name, apart))
    copies = f"(SELECT DISTINCT {own}, NULL AS {name(added or '_loaded')} FROM {relation})"  # noqa: S608  quoted
    for view, rows in {"theirs": relation, "theirs_once": copies}.items():
        selected = ", ".join(f"{sql} AS {column}" for column, sql in made.items())
        connection.execute(f"CREATE TEMP VIEW {view} AS SELECT {selected} FROM {rows}")  # noqa: S608  quoted
    return columns, _require_readable(connection, columns, made, relation)


def _relation(connection: duckdb.DuckDBPyConnection, source: str, table: str) -> str:
    """The SQL that names their table."""
    path = Path(source).expanduser()
    pattern = str(path / "**" / "*.parquet") if path.is_dir() else str(path)
    is_pattern = has_magic(pattern) and not path.is_file()
    files = sorted(glob(pattern, recursive=True)) if is_pattern else [pattern]  # noqa: PTH207  it may be absolute
    if not files or not Path(files[0]).exists():
        raise ConfigError(f"There is no file {pattern}. Name a DuckDB file, Parquet or CSV.")
    lowered = files[0].lower()
    if not lowered.endswith(_PARQUET + _TEXT):
        return _in_database(connection, path, table)
    if table:
        raise ConfigError(f"--table is for a DuckDB file; {source} is one table. Leave it out.")
    listed = f"[{', '.join(map(literal, files))}]"
    if lowered.endswith(_PARQUET):
        return f"read_parquet({listed}, union_by_name = true)"
    # Types are not guessed: an id that becomes a float loses digits.
    return f"read_csv({listed}, header = true, all_varchar = true, union_by_name = true)"


def _in_database(connection: duckdb.DuckDBPyConnection, path: Path, table: str) -> str:
    [(ours,)] = connection.execute(
        "FROM duckdb_databases() SELECT path WHERE database_name = ?", [OURS]
    ).fetchall()
    database = OURS if path.resolve() == Path(ours).resolve() else _THEIRS
    if database == _THEIRS:
        try:
            connection.execute(f"ATTACH {literal(str(path))} AS {_THEIRS} (READ_ONLY)")
        except duckdb.Error as error:
            advice = (
                "Compare when no other program has it open, or a copy of it."
                if "lock" in str(error)
                else "Parquet files must end in .parquet, texts in .csv."
            )
            raise ConfigError(f"{path} cannot be opened: {first_line(error)}. {advice}") from error
    there = connection.execute(
        "FROM (SELECT database_name, schema_name, table_name FROM duckdb_tables() UNION ALL "
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal) "
        "SELECT schema_name, table_name WHERE database_name = ? ORDER BY ALL",
        [database],
    ).fetchall()
    schema, found = _chosen(there, table, path)
    return f"{database}.{name(schema)}.{name(found)}"


def _chosen(there: Sequence[tuple[str, str]], table: str, path: Path) -> tuple[str, str]:
    """Schema and name of a table, or of the only one. Raises ConfigError that lists them."""
    fitting = [one for one in there if table.lower() in {"", one[1].lower(), ".".join(one).lower()}]
    if len(fitting) == 1:
        return fitting[0]
    listed = [".".join(one) for one in fitting or there]
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    why = "" if not table or fitting else f"There is no table {table}. "
    raise ConfigError(
        f"{why}Choose a table with --table schema.name. {path} has"
        f" {', '.join(listed[:_MOST_LISTED]) or 'none'}{more}."
    )


def _made(columns: TheirColumns, kinds: Mapping[str, str], account_id: str) -> Mapping[str, str]:
    """The columns of the views → their SQL. A value that cannot be read is NULL."""
    texts = {role: _text(column) for role, column in columns.by_role.items()}
    account = literal(account_id)
    if "account" in texts:  # a float makes 12345.0 of an id
        account = f"regexp_replace({texts['account']}, '^act_|[.]0$', '', 'g')"
    loaded = texts.get("loaded", "NULL")
    numbers = {
        role: f"try_cast({texts[role]} AS DECIMAL(38, 6))" for role in ROLE_COLUMNS if role in texts
    }
    if "actions" in texts and "purchases" not in texts:
        numbers["purchases"] = _purchases_of(columns.by_role["actions"], kinds)
    return {
        "account": account,
        "day": f"try_cast(left({texts['date']}, 10) AS DATE)",
        "last_day": f"try_cast(left({texts.get('end', texts['date'])}, 10) AS DATE)",
        "ad": texts.get("ad", "NULL::VARCHAR"),
        # 13:00:00 - 13:59:59
        "hour": f"try_cast(split_part({texts.get('hour', 'NULL')}, ':', 1) AS TINYINT)",
        "currency": f"upper({texts.get('currency', 'NULL')})",
        # dlt has seconds since 1970 as a text.
        "loaded": f"coalesce(to_timestamp(try_cast({loaded} AS DOUBLE)), "
        f"try_cast({loaded} AS TIMESTAMPTZ))",
        **numbers,
        **{f"key_{n}": f"{name(key)}::VARCHAR" for n, key in enumerate(columns.keys)},
    }


def _text(column: str) -> str:
    """A value as text; pandas has nan where there is none."""
    return f"nullif(trim({name(column)}::VARCHAR), 'nan')"


def _purchases_of(column: str, kinds: Mapping[str, str]) -> str:
    """Purchases in a list of actions. Loaders keep it as JSON in a text, or as a typed list."""
    is_text = kinds[column] in {"VARCHAR", "JSON"}
    text = f"{name(column)}::VARCHAR" if is_text else f"to_json({name(column)})::VARCHAR"
    entries = f'from_json({text}, \'[{{"action_type": "VARCHAR", "value": "VARCHAR"}}]\')'
    return (
        f"list_sum([try_cast(e.value AS DECIMAL(38, 6)) FOR e IN {entries} "
        f"IF e.action_type = '{_PURCHASE}'])"
    )


def _require_readable(
    connection: duckdb.DuckDBPyConnection,
    columns: TheirColumns,
    made: Mapping[str, str],
    relation: str,
) -> int:
    """How many of their rows have no account or no day. Raises ConfigError for a value that is not
    a day or a number, and for rows of several days.
    """
    checked = {"date": made["day"]} | {
        role: made[role] for role in columns.counted if role in columns.by_role
    }
    wrong = {
        role: f"{_text(columns.by_role[role])} <> '' AND ({sql}) IS NULL"
        for role, sql in checked.items()
    }
    selected = [
        f"count(*) FILTER ({test}), min({name(columns.by_role[role])}::VARCHAR) FILTER ({test})"
        for role, test in wrong.items()
    ]
    lost = f"coalesce({made['account']}, '') = '' OR {made['day']} IS NULL"
    longer = f"{made['last_day']} <> {made['day']}"
    row = connection.execute(
        f"SELECT {', '.join(selected)}, count(*) FILTER ({longer}), count(*) FILTER ({lost}) "  # noqa: S608  quoted
        f"FROM {relation}"
    ).fetchone()
    *pairs, several, unplaced = row or (0, 0)
    for n, role in enumerate(wrong):
        number, value = pairs[2 * n : 2 * n + 2]
        if number:
            raise _unreadable(role, columns.by_role[role], number, value)
    if several:
        raise ConfigError(
            f"{counted(several, 'row spans', 'rows span')} several days"
            f" ({columns.by_role['date']} to {columns.by_role['end']}). Compare a table by day."
        )
    return int(unplaced)


def _unreadable(role: str, column: str, number: int, value: str) -> ConfigError:
    what = "days like 2026-11-21" if role == "date" else "numbers like 1234.56"
    return ConfigError(
        f"Column {column!r} has {counted(number, 'value')} that cannot be read, such as"
        f" {brief(value)!r}; {what} are. Name another column with --column {role}=NAME, or convert"
        " it first."
    )


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says, without the SQL that is ours."""
    return str(error).partition("\n")[0].rstrip(".!")
