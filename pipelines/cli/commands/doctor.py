"""`fbinsights doctor`: what is set up right, what is not, and what to do about it."""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from fbgraph import act_id
from fbgraph.errors import (
    ENDS_EVERYTHING,
    Detail,
    GraphError,
    LimitStuckError,
    TokenError,
    VersionError,
)
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.json_lines import json_line, print_json, total_line
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.terminal import hanging, width_of
from pipelines.cli.waits import waits_of
from pipelines.errors import ConfigError
from pipelines.escaping import escaped
from pipelines.loading import access
from pipelines.loading.accounts.discovery import discover, text_of
from pipelines.settings import settings_of
from pipelines.state.homes import home_of, why_another
from pipelines.state.origin import refused
from pipelines.state.unreported import notes_of
from pipelines.variables import unknown_settings, unknown_text
from warehouse.decode.native import reader
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import damage, lag
from warehouse.storage.atomic import nearest
from warehouse.storage.url import open_store
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fbgraph import GraphClient
    from fbgraph.http.paging import Row
    from pipelines.loading.access import Finding
    from pipelines.reports.catalog import Reports
    from pipelines.settings import Settings

__all__ = ["examine"]

#: `account_status` of accounts that run. Source: Marketing API, ad account reference.
_RUNS = {1: "active", 9: "in grace period", 201: "any active"}

#: With less free space, or fewer free inodes, the next load or publish may not fit: each
#: account-day takes a file and a folder. Our choice.
LEAST_FREE_BYTES: Final = 100_000_000
LEAST_FREE_INODES: Final = 10_000

#: A limit that takes longer to reset is told instead.
LONGEST_WAIT_SECONDS: Final = 90.0


def examine(environ: Mapping[str, str], known: Reports, style: Style = FOR_PEOPLE) -> int:
    """Check everything, one line each on stdout; returns how many lines need something done."""
    good = bad = 0
    for ok, what, detail in _findings(environ, known):
        good, bad = good + ok, bad + (not ok)
        if style.is_json:
            print_json(json_line({"kind": "finding", "ok": ok, "what": what, "detail": detail}))
            continue
        if ok and style.is_quiet:
            continue
        head = f"{'ok   ' if ok else 'to do'}  {what:<20}  "
        shown = "\n".join(map(escaped, detail.split("\n")))
        for line in hanging(head, shown, width_of(sys.stdout)):
            click.echo(line)
    if style.is_json:
        code = SOME_FAILED if bad else ALL_DONE
        print_json(total_line("doctor", code, ok=good, to_do=bad))
    return bad


def _findings(environ: Mapping[str, str], known: Reports) -> Iterator[Finding]:
    for name, near in unknown_settings(environ):
        yield not near, "settings", unknown_text(name, near)
    try:
        settings = settings_of(environ)
    except ConfigError as error:
        yield False, "settings", str(error)
        return
    yield from _warehouse(settings.warehouse_url)
    yield from _unreported(settings.warehouse_url, known)
    yield from _waits(settings.warehouse_url)
    yield _reader()
    if why := _home(environ, settings):
        yield False, "Dagster home", why
    if why := _source(settings):
        yield False, "source", why
        return
    try:
        client = settings.open_graph(is_shared=False, sleep=_sleep)
    except VersionError as error:
        yield False, "API version", str(error)
        return
    except (ConfigError, TokenError) as error:
        yield False, "token", str(error)
        return
    with client:
        yield from _graph(client, settings, known)


def _sleep(seconds: float) -> None:
    """Sleep, but not out a limit. Raises LimitStuckError."""
    if seconds > LONGEST_WAIT_SECONDS:
        minutes = math.ceil(seconds / 60)
        text = f"A limit of Meta's is used up: the next request has to wait {minutes} min."
        raise LimitStuckError(Detail(text, advice="Loads wait by themselves."))
    time.sleep(seconds)


def _home(environ: Mapping[str, str], settings: Settings) -> str:
    """Why Dagster's home is not that of this lake, so that no load begins."""
    try:
        return why_another(home_of(environ), open_store(settings.warehouse_url))
    except ConfigError as error:
        return str(error)
    except (WarehouseError, OSError):
        return ""  # a lake that cannot be read is already reported


def _source(settings: Settings) -> str:
    """Why the lake accepts nothing from FB_GRAPH_URL. A lake that cannot be read is already
    reported.
    """
    with suppress(WarehouseError, OSError):
        return refused(open_store(settings.warehouse_url), settings.graph_url)
    return ""


def _graph(client: GraphClient, settings: Settings, known: Reports) -> Iterator[Finding]:
    try:
        found = discover(client, settings.account_ids)
    except GraphError as error:
        yield False, "token" if isinstance(error, TokenError) else "graph", str(error)
        return
    yield _token(client)
    today = datetime.now(UTC).date()
    yield access.version(client.version, client.tally.api_version, today)
    yield access.retirements({name: one.requests for name, one in known.by_name.items()}, today)
    if not found.rows and not found.refused:
        yield (
            False,
            "accounts",
            "The token does not see any ad account. Give its user access to one.",
        )
    for account_id, why in found.refused.items():
        yield False, act_id(account_id), why
    for row in found.rows:
        yield _account(client, row)


def _token(client: GraphClient) -> Finding:
    """What Meta knows about the token. Even if it does not say, the token has at least worked."""
    try:
        response = client.debug_token()
    except ENDS_EVERYTHING as error:
        return False, "token", str(error)
    except GraphError as error:
        return True, "token", f"valid; expiry and scopes unknown: {error}"
    return access.token(response, datetime.now(UTC))


def _account(client: GraphClient, row: Row) -> Finding:
    """Whether insights of an account can be read, by one small call."""
    key = act_id(row["account_id"])
    texts = [escaped(text_of(row, key)) for key in ("name", "currency", "timezone_name")]
    name = "{} ({}, {})".format(*texts)
    try:
        next(iter(client.account(key).insights(limit=1, date_preset="yesterday")), None)
    except GraphError as error:
        return False, key, f"{name}: {error}"
    status = row.get("account_status")
    runs = _RUNS.get(status) if isinstance(status, int) else None
    return True, key, f"{name}: readable, {runs or f'account_status {status}'}"


def _warehouse(url: str) -> Iterator[Finding]:
    try:
        lake = Lake(url)
        lake.require_writable()
        behind = lag(lake)
        why_full = _why_full(nearest(lake.root))
    except (WarehouseError, OSError) as error:
        yield False, "warehouse", str(error)
        return
    yield True, "warehouse", f"{lake.store.name()}: writable"
    if why_full:
        yield False, "disk", why_full
    if why := damage(lake):
        yield False, "published", f"{why}."
    elif behind.is_late(datetime.now(UTC)):
        advice = "Run `fbinsights publish`; while `fbinsights dev` runs, it follows by itself"
        yield False, "published", f"{behind}. {advice}."
    else:
        yield True, "published", str(behind)
    for why in behind.published.left_out if behind.published else ():
        yield False, "lake", f"{why}. Then `fbinsights publish`."


def _why_full(folder: Path) -> str:
    """What the disk of a folder is short of, and what to do; "" if nothing. Raises OSError."""
    disk = os.statvfs(folder)
    stops = "a load or a publish that does not fit stops."
    if (free := disk.f_bavail * disk.f_frsize) < LEAST_FREE_BYTES:
        return f"{folder}: {free // 1_000_000} MB are free. Free disk space: {stops}"
    if disk.f_files and disk.f_favail < LEAST_FREE_INODES:  # some file systems count none
        free_inodes = counted(disk.f_favail, "inode is", "inodes are")
        return f"{folder}: {free_inodes} free, one for each file or folder. Delete files: {stops}"
    return ""


def _unreported(url: str, known: Reports) -> Iterator[Finding]:
    """Account-days that commands have loaded and Dagster's grid does not show yet."""
    now = datetime.now(UTC)
    try:
        lake = Lake(url, catalog=known.catalog)
        notes = [note for note in notes_of(lake.store) if note.has_ended(now)]
        tables = [(note, table) for note in notes for table in note.tables]
        loads = [load for note, table in tables for load in note.loads_in(lake, table)]
    except (WarehouseError, OSError):  # that is reported already
        return
    if loads:
        why = "a command was stopped, or could not use Dagster"
        command = f"`fbinsights refresh --account {act_id(loads[-1].account_id)}`"
        text = f"loaded account-days that its grid does not show yet: {len(loads)}; {why}"
        yield False, "Dagster", f"{text}. Any load reports them, for instance {command}."


def _waits(url: str) -> Iterator[Finding]:
    """Who waits for which limit: what any process of this warehouse has met."""
    try:
        waits = waits_of(open_store(url))()
    except (WarehouseError, OSError):  # that is reported already
        return
    for line in waits:
        yield True, "waits", line


def _reader() -> Finding:
    """Whether pages take the fast path. The careful one is as exact, so nothing needs to be
    done.
    """
    if reader.LIBRARY is not None:
        return True, "reader", "compiled"
    return (
        True,
        "reader",
        "not compiled; install a C compiler and reinstall, and loads take less CPU",
    )
