"""`fbinsights overview`: the page to look at, written to a file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import warehouse
from fbgraph import act_id
from pipelines.cli.commands.query import published_file
from pipelines.cli.output.terminal import print_note
from pipelines.errors import ConfigError
from pipelines.overview.keeping import write_page
from pipelines.overview.page import overview_of
from pipelines.overview.window import WINDOW_DAYS, Window
from pipelines.settings import settings_of
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import damage
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["run_overview"]

#: Writes to stdout.
STDOUT: Final = "-"


def run_overview(
    environ: Mapping[str, str],
    since: date | None,
    until: date | None,
    accounts: Sequence[str],
    out: str,
) -> None:
    """Write the page of the published tables to a file, or to stdout if `out` is "-". Raises
    ConfigError for an account that is not there, and WarehouseError.
    """
    published = published_file(environ)
    if why := damage(Lake(published.parent)):
        raise WarehouseError(why)
    lake = Lake(settings_of(environ).warehouse_url)
    wanted = [act_id(account).removeprefix("act_") for account in accounts]
    with warehouse.open(published.parent) as opened:
        made = overview_of(
            *(opened, lake.store.read, datetime.now(UTC), _window(since, until)), account_ids=wanted
        )
    if unknown := sorted(set(wanted) - set(made.account_ids)):
        raise ConfigError(
            f"act_{unknown[0]} is not among the accounts of {lake.store.name()}. `fbinsights query"
            ' "from accounts"` lists them.'
        )
    if out == STDOUT:
        sys.stdout.write(made.html)
        return
    path = Path(out)
    try:
        write_page(path, made)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. Name another file with --out."
        ) from None
    print_note(
        f"{path}: {counted(made.number, 'ad account')}, {made.span}. {made.headline}\n"
        "Open it with a double click; it needs no network. It holds names and spend."
    )


def _window(since: date | None, until: date | None) -> Window | None:
    """Both ends, or the other end of four weeks."""
    if since and until:
        return Window(since, until)
    if since:
        return Window.beginning(since, WINDOW_DAYS)
    return Window.ending(until, WINDOW_DAYS) if until else None
