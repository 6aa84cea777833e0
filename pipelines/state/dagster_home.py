"""Opens Dagster's instance, the one that its pages show, for a command."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import yaml

from pipelines.dagster_private import try_connections
from pipelines.errors import ConfigError, UnreachableDagsterError
from pipelines.state.homes import (
    SETTINGS,
    home_of,
    prepare,
    require_home,
    settings_in,
    with_absolute_folders,
)
from warehouse.storage.atomic import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warehouse.storage.store import Store

__all__ = ["databases_open", "is_there", "keep_connections", "open_instance", "why_unreachable"]

#: A `dagster.yaml` with its folders named from the root of the disk.
_ABSOLUTE: Final = "command_line.yaml"

#: Dagster's databases where it keeps them in its home, as it does unless it is told otherwise.
_DATABASES: Final = (
    *("history/runs.db", "history/runs/index.db", "history/runs/.db"),
    "schedules/schedules.db",
)

#: How long another process may have one of them locked. Dagster itself would take half a minute,
#: for each of its attempts, to say that it is.
LOCKED_SECONDS: Final = 5.0

#: How long a connection to Postgres is used again, and how many more may be open at once.
KEPT_SECONDS: Final = 10
MOST_MORE: Final = 20

#: Characters of a reason that are shown: some have a statement of SQL in them.
REASON_CHARACTERS: Final = 300


@contextmanager
def open_instance(
    environ: Mapping[str, str], store: Store, *, locked_seconds: float = LOCKED_SECONDS
) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance: that of DAGSTER_HOME, else of the folder's own home, `.dagster`.

    Raises ConfigError for a home that shows a lake other than that of the `store`, and
    UnreachableDagsterError for one that cannot be used, or that another process locks for more
    than `locked_seconds`.
    """
    home = home_of(environ)
    with ExitStack() as closing:
        try:
            # Two that start first at the same time would both create Dagster's database, and
            # corrupt it.
            with locked(home):
                _require_unlocked(home, locked_seconds)
                instance = closing.enter_context(_instance_of(home))
            keep_connections(instance)
            require_home(instance, store)
        except ConfigError:
            raise
        except Exception as error:
            raise UnreachableDagsterError(why_unreachable(environ, error)) from error
        yield instance


def _require_unlocked(home: Path, seconds: float) -> None:
    """Raise sqlite3.Error for a database of Dagster that stays locked for these `seconds`."""
    deadline = time.monotonic() + seconds
    for path in (home / name for name in _DATABASES):
        if path.is_file():
            left = max(deadline - time.monotonic(), 0.0)
            at = f"{path.absolute().as_uri()}?mode=rw"
            try:
                with contextlib.closing(
                    sqlite3.connect(at, uri=True, timeout=left, isolation_level=None)
                ) as database:
                    database.execute("BEGIN IMMEDIATE")
                    database.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise type(error)(f"{path}: {error}") from None


@contextmanager
def databases_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """While many events are reported: Dagster opens a database several times for each, and SQLite
    writes the log of one into it, and deletes that, whenever nobody has it open any more.

    An idle connection locks nothing. There is none to a database that is elsewhere, as Postgres.
    """
    with ExitStack() as closing:
        for path in (Path(instance.root_directory) / name for name in _DATABASES):
            if path.is_file():
                at = f"{path.absolute().as_uri()}?mode=rw"
                with contextlib.suppress(sqlite3.Error):
                    database = closing.enter_context(
                        contextlib.closing(sqlite3.connect(at, uri=True, timeout=LOCKED_SECONDS))
                    )
                    database.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Let this process use a connection to Postgres again for some seconds, as Dagster's web server
    does; without it, each statement has one of its own, and an event takes 23 ms of CPU instead of
    11, Postgres's included. It changes nothing for SQLite.

    Dagster's documentation does not name this method. Without a timeout a statement may take its
    time, as before. A connection that the server has ended meanwhile is replaced.
    """
    instance.optimize_for_webserver(
        statement_timeout=0, pool_recycle=KEPT_SECONDS, max_overflow=MOST_MORE
    )
    try_connections(instance)


def _instance_of(home: Path) -> dg.DagsterInstance:
    """Settings of 0.1.0 named folders relative to where Dagster is started. Here they are those of
    the folder that the file is in.
    """
    prepare(home)
    written = settings_in(home)
    absolute = with_absolute_folders(written, (home / SETTINGS).resolve().parent)
    if absolute == written:
        return dg.DagsterInstance.from_config(str(home))
    (home / _ABSOLUTE).write_text(yaml.safe_dump(absolute), encoding="utf-8")
    return dg.DagsterInstance.from_config(str(home), _ABSOLUTE)


def why_unreachable(environ: Mapping[str, str], error: BaseException) -> str:
    """In one line, with what to check: of SQLAlchemy's and Dagster's errors, what caused them."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    why = " ".join(text.split())[:REASON_CHARACTERS].rstrip(".") or type(error).__name__
    return (
        f"Dagster cannot be used: {why}. Check {home_of(environ)}: free disk space,"
        " permissions, processes that lock its files, and the database that its dagster.yaml names."
    )


def is_there(environ: Mapping[str, str]) -> bool:
    """Whether Dagster, or a command that loads, has been used with this home."""
    return bool(environ.get("DAGSTER_HOME")) or home_of(environ).is_dir()
