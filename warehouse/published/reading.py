"""Queries on the published file: only those that read it, and nothing else.

DuckDB opened read-only still writes files (`COPY`, even inside of `WITH`), reads any file of this
machine (`read_text('/etc/passwd')`) and the network. So a question is one statement of a kind that
reads, and its connection may open the files of the lake's tables alone, for the views in the schema
`lake`. Both are needed: where DuckDB may read a folder, it may write there too. Questions of agents
have less: no file at all, and bounds (`seal`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb

from warehouse.errors import WarehouseError
from warehouse.schema.sql import escaped, literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["confine", "confine_to", "require_question", "seal"]

#: What a question may be. PIVOT is several statements to DuckDB.
QUESTIONS: Final = frozenset(
    {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI}
)

#: How what EXPLAIN explains may begin: it executes what it analyzes.
FIRST_WORDS: Final = frozenset(
    {
        *("select", "from", "with", "values", "table", "describe", "desc", "show", "summarize"),
        *("pivot", "unpivot", "("),
    }
)

#: Words that do more than read wherever they are, such as COPY inside of WITH. A column of such a
#: name needs quotes.
FORBIDDEN: Final = frozenset({"copy", "json_execute_serialized_sql"})

_ADVICE: Final = (
    "Only statements that read are allowed: SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, SUMMARIZE,"
    " PIVOT or EXPLAIN"
)

#: A word of SQL; anything else counts by its first character.
_WORD: Final = re.compile(rb"\w+|.", re.DOTALL)


def require_question(sql: str, hint: str = "") -> None:
    """Raise WarehouseError unless a text is one statement that only reads. `hint`: what else is
    advised to those who want more.
    """
    advice = f"{_ADVICE}{hint}"
    try:
        statements = duckdb.extract_statements(sql)
    except (duckdb.Error, ValueError) as error:
        raise WarehouseError(str(error)) from None
    if not statements:
        raise WarehouseError("Not a query: the text contains no statement")
    if (number := len(statements)) > 1:
        raise WarehouseError(f"Run one statement at a time: the text contains {number}")
    [statement] = statements
    words = _words(sql)
    if statement.type not in QUESTIONS:
        kind = str(statement.type.name).replace("_", " ")
        does = kind if words[0] in FIRST_WORDS else words[0].upper()
        raise WarehouseError(f"{does} does more than read. {advice}")
    if forbidden := next((word for word in words if word in FORBIDDEN), ""):
        raise WarehouseError(
            f"{forbidden.upper()} does more than read. {advice}. Put a column of that name in"
            f' quotes: "{forbidden}"'
        )
    if statement.type == duckdb.StatementType.EXPLAIN and _explained(words) not in FIRST_WORDS:
        raise WarehouseError(f"EXPLAIN is only allowed for a statement that reads. {_ADVICE}")


def _words(sql: str) -> Sequence[str]:
    """The words of a statement in lower case, without texts, comments and quoted names."""
    text = sql.encode()
    words = []
    for offset, kind in duckdb.tokenize(sql):
        if kind not in {duckdb.token_type.string_const, duckdb.token_type.comment}:
            match = _WORD.match(text, offset)
            words.append(match[0].decode(errors="replace").lower() if match else "")
    return words


def _explained(words: Sequence[str]) -> str:
    """The word with which begins what EXPLAIN explains."""
    rest = list(words[1:])
    if rest[:1] == ["analyze"]:
        rest = rest[1:]
    if rest[:1] == ["("] and {*rest[1:2]} & {"analyze", "format"} and ")" in rest:
        rest = rest[rest.index(")") + 1 :]
    return rest[0] if rest else ""


def confine(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Let a connection to the published file of the lake at `root` open the files of the lake's
    tables, and no other file or address from now on. Its settings cannot be changed any more.
    """
    views = connection.execute("FROM duckdb_views() SELECT view_name WHERE schema_name = 'lake'")
    tables = [str(table) for (table,) in views.fetchall()]
    # DuckDB compares what a view names, with characters of patterns escaped, and what it opens.
    confine_to(
        connection, [f"{top}/{table}" for top in {str(root), escaped(root)} for table in tables]
    )


def confine_to(connection: duckdb.DuckDBPyConnection, folders: Sequence[str | Path]) -> None:
    """Let a connection open files in these folders, and no other file or address from now on."""
    allowed = ", ".join(literal(str(folder)) for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    _lock(connection)


def seal(connection: duckdb.DuckDBPyConnection, megabytes: int, threads: int) -> None:
    """Let a connection read the published tables alone, within this memory and with these threads:
    from now on it opens no file, writes none to free memory, and its settings cannot be changed.

    What DuckDB allocates within one step of a query is not all counted against its limit.
    """
    connection.execute(f"SET memory_limit = '{megabytes} MiB'")
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET temp_directory = ''")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET allow_community_extensions = false")
    _lock(connection)


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """No variable of Python, no other file or address; and so it stays."""
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
