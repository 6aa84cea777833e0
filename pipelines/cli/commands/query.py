"""`fbinsights query` runs one query on the published file and writes the result to stdout;
`fbinsights sql` opens DuckDB's own shell on it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import warehouse
from pipelines.cli.exit_codes import INTERRUPTED
from pipelines.cli.output.streams import has_readers
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of
from pipelines.errors import ConfigError
from pipelines.settings import settings_of
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.opened import open_as_of
from warehouse.published.publish import LINK, damage, ensure_published
from warehouse.published.reading import require_question
from warehouse.storage.url import lake_root
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FORMATS", "instant_of", "published_file", "run_query", "run_shell"]

T = TypeVar("T")

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: The format that is bytes.
PARQUET: Final = "parquet"

_TO_A_FILE: Final = (
    ". To write a result to a file, use `--format csv` or `--format parquet`: fbinsights query …"
    " --format csv > result.csv"
)

#: Most rows that the format "table" prints; the other formats print all.
SHOWN_ROWS: Final = 1000


def run_query(environ: Mapping[str, str], sql: str, form: str, as_of: str | None = None) -> None:
    """Run a query, and write the result to stdout. It can read nothing but the published tables and
    the lake, and write nothing. `as_of`: a day or time, and what the destination showed then.
    Raises WarehouseError with DuckDB's message; ConfigError where bytes would be written to a
    terminal.
    """
    require_question(sql, _TO_A_FILE)
    if form == PARQUET and sys.stdout.isatty():
        raise ConfigError(
            "Parquet is not for a terminal. Write it to a file: fbinsights query … --format"
            f" {PARQUET} > answer.parquet"
        )
    if as_of:
        with _earlier(environ, as_of) as opened:
            FORMATS[form](_writable(_interruptible(lambda: opened.arrow(sql))))
        return
    published = published_file(environ)
    if why := damage(Lake(published.parent)):
        raise WarehouseError(why)
    with warehouse.open(published.parent) as opened:
        opened.confine(published.parent.resolve())
        FORMATS[form](_writable(_interruptible(lambda: opened.arrow(sql))))
        if not opened.arrow("FROM loads LIMIT 1").num_rows:
            print_note(
                f"No account-day has been loaded into {published.parent} yet. Check WAREHOUSE_URL."
            )


def _earlier(environ: Mapping[str, str], as_of: str) -> warehouse.Warehouse:
    destination = settings_of(environ).destination
    if destination is None:
        raise ConfigError(
            "--as-of takes a DuckLake, which remembers what it showed: set WAREHOUSE_PUBLISH, as"
            " docs/ducklake.md says"
        )
    try:
        at = instant_of(as_of)
    except ValueError:
        raise ConfigError(
            f"--as-of: {as_of!r} is neither a day like 2026-11-23 nor a time like 2026-11-23T09:00"
        ) from None
    return open_as_of(destination, at)


def instant_of(as_of: str) -> datetime:
    """The end of a day, or a time; in UTC unless it says another zone. Raises ValueError."""
    at = datetime.fromisoformat(as_of)
    if _DAY.fullmatch(as_of):
        at += timedelta(days=1, microseconds=-1)
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def _interruptible(work: Callable[[], T]) -> T:
    """Work in a thread, so that Ctrl-C is heard at once: within one step of a query, which may take
    hours, DuckDB does not listen. The thread is left behind then, and ends with the process.
    """
    done: list[T | Exception] = []

    def working() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001  # raised again below
            done.append(error)

    thread = threading.Thread(target=working, daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:  # nothing is written, and closing would wait for the query
        print_note("fbinsights: Interrupted.")
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    [result] = done
    if isinstance(result, Exception):
        raise result
    return result


def run_shell(environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by DuckDB's shell, read-only: keys, pipes and exit codes are its own.
    Instants are shown in UTC, as everywhere else. Raises WarehouseError if the shell is missing.
    """
    published, shell = str(published_file(environ)), _shell()
    if sys.stdin.isatty():
        print_note(_engines(shell))
        print_note(
            "Read-only and safe: nothing is written, and no other file or address can be opened, so"
            " tables in the schema lake cannot be read here. `fbinsights query` reads them, and"
            " --format writes answers."
        )
    command = [shell, "-readonly", "-safe", published]
    os.execve(command[0], command, {**os.environ, "TZ": "UTC"})  # noqa: S606  # no shell reads this


def published_file(environ: Mapping[str, str]) -> Path:
    """The published file; if there is none yet, the lake is published first."""
    url = settings_of(environ).warehouse_url
    link = lake_root(url) / LINK
    if link.exists():
        return link
    from pipelines.reports.catalog import reports_of  # noqa: PLC0415  # most queries need no report

    return ensure_published(url, catalog=reports_of(environ).catalog)


def _shell() -> str:
    """The shell that comes with the package duckdb-cli, or else the one on PATH.

    The package's own command runs it below a Python that Ctrl-C ends before it.
    """
    package = find_spec("duckdb_cli")
    folders = package.submodule_search_locations or () if package else ()
    shells = [str(Path(folder, "duckdb")) for folder in folders]
    found = next(filter(os.path.isfile, shells), None) or shutil.which("duckdb")
    if found is None:
        raise WarehouseError("DuckDB's shell is not installed: pip install duckdb-cli")
    return found


def _engines(shell: str) -> str:
    """Which DuckDB the shell is, and which one answers `fbinsights query`: a shell is published for
    pip some versions after the library.
    """
    printed = subprocess.run([shell, "--version"], check=False, capture_output=True, text=True)  # noqa: S603  ours
    own = printed.stdout.partition(" ")[0].removeprefix("v")
    library = version("duckdb")
    if own == library:
        return f"DuckDB {own}, which `fbinsights query` uses too."
    return f"This shell is DuckDB {own}; `fbinsights query` uses DuckDB {library}."


def _writable(result: pa.Table) -> pa.Table:
    """Intervals as text: neither Parquet nor JSON has a type for them."""
    for n, field in enumerate(result.schema):
        if pa.types.is_interval(field.type):
            texts = [None if v is None else _interval(*v) for v in result.column(n).to_pylist()]
            result = result.set_column(n, field.name, pa.array(texts, pa.string()))
    return result


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """Like 13 months 20 days, or -0:30:00."""
    hours, left = divmod(timedelta(microseconds=abs(nanoseconds) // 1000), timedelta(hours=1))
    sign = "-" if nanoseconds < 0 else ""
    time = f"{sign}{hours}{str(left).removeprefix('0')}"
    counts = {"month": months, "day": days}
    parts = [f"{n} {name}{'' if abs(n) == 1 else 's'}" for name, n in counts.items() if n]
    return " ".join(parts if parts and not nanoseconds else [*parts, time])


def _table(result: pa.Table) -> None:
    names = result.column_names
    rows = [[_shown(v) for v in row.values()] for row in _rows(result.slice(0, SHOWN_ROWS))]
    for line in table_lines(names, rows, width_of(sys.stdout)):
        click.echo(line)
    if result.num_rows > SHOWN_ROWS:
        more = counted(result.num_rows - SHOWN_ROWS, "more row")
        print_note(f"{more}; --format csv prints them all.")


def _shown(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return _json(value) if isinstance(value, list | dict) else value


def _csv(result: pa.Table) -> None:
    for number, field in enumerate(result.schema):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            # CSV has no lists: JSON in a cell
            text = [None if v is None else _shown(v) for v in result.column(number).to_pylist()]
            result = result.set_column(number, field.name, pa.array(text, pa.string()))
    pyarrow.csv.write_csv(result, sys.stdout.buffer)


def _json_lines(result: pa.Table) -> None:
    """One object a line, in UTF-8 whatever the terminal has: JSON is read by programs."""
    for row in _rows(result):
        if not has_readers():
            return
        odd = {k: str(v) for k, v in row.items() if isinstance(v, float) and not isfinite(v)}
        click.echo(_json(row | odd).encode())  # JSON has no number for nan and inf


def _parquet(result: pa.Table) -> None:
    pyarrow.parquet.write_table(result, sys.stdout.buffer, compression="zstd")


FORMATS: Final[Mapping[str, Callable[[pa.Table], None]]] = {
    "table": _table,
    "csv": _csv,
    "json": _json_lines,
    PARQUET: _parquet,
}


def _rows(result: pa.Table) -> list[dict[str, Any]]:
    """Rows as mappings. Columns of the same name are numbered."""
    names = [
        f"{name}_{n}" if result.column_names.index(name) != n else name
        for n, name in enumerate(result.column_names)
    ]
    rows: list[dict[str, Any]] = result.rename_columns(names).to_pylist()
    return rows


def _json(value: object) -> str:
    """JSON with decimals as text: a JSON number is a float to most who read it."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
