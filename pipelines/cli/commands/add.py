"""`fbinsights add`: ready reports and tables of objects, to be copied into the folder of the
user's own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.exit_codes import ALL_DONE
from pipelines.cli.output.table import table_lines
from pipelines.cli.output.terminal import print_note, width_of
from pipelines.cli.summary import command_name
from pipelines.errors import ConfigError
from pipelines.project.folder import complete
from pipelines.project.ready_reports import PROOFS, chosen, ready_reports
from pipelines.project.ready_tables import ReadyTable, ready_tables
from pipelines.reports.files import shown
from pipelines.settings import REPORTS_FOLDER, reports_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipelines.project.ready_reports import ReadyReport
    from pipelines.reports.catalog import Reports

__all__ = ["run_add"]


def run_add(environ: Mapping[str, str], known: Reports, name: str | None) -> int:
    """Copy a ready report or table, or list all of them. Raises ConfigError for a name that is
    none, or that is taken: by a file, or by a report in any file.
    """
    ready, tables = ready_reports(), ready_tables()
    if name is None:
        _list(ready.values(), tables.values(), known, _shown_folder(environ))
        return ALL_DONE
    one: ReadyReport | ReadyTable = tables[name] if name in tables else chosen(name, ready)
    folder = reports_folder(environ) or Path(REPORTS_FOLDER)
    path = folder / f"{one.name}.yaml"
    if _is_known(known, one.name):
        raise ConfigError(
            f"A report {one.name} exists already, in {_shown_folder(environ)}. Nothing was changed."
        )
    if complete(folder, {path.name: one.text}).kept:
        raise ConfigError(f"{shown(path)} exists already. Nothing was changed.")
    click.echo(shown(path))
    print_note(f"{one.answers}\n{one.costs}")
    command = command_name()
    if isinstance(one, ReadyTable):
        print_note(f"\nIt is loaded by refreshes from now on: {command} refresh")
        return ALL_DONE
    print_note(
        f"\nIt is loaded from now on, with all others. What some days of it cost, and the days"
        f" before:\n    {command} plan --report {one.name} --since DAY --until DAY"
        f"\n    {command} backfill --report {one.name} --since DAY --until DAY"
    )
    return ALL_DONE


def _list(
    ready: Collection[ReadyReport],
    tables: Collection[ReadyTable],
    known: Reports,
    folder: str,
) -> None:
    """One line each, in groups where the terminal is narrow."""
    header = ("group", "report", "rows", "per", "proven", "limits at Meta", "what it answers")
    rows = [
        (one.group, one.name, one.rows, one.per, one.proven, one.limits, one.answers)
        for one in ready
    ]
    width = width_of(sys.stdout)
    for line in table_lines(header, rows, width, heads=("group",), spare=("what it answers",)):
        click.echo(line)
    click.echo()
    of_tables = [(one.name, one.spec.edge, one.answers) for one in tables]
    heads = ("table of objects", "edge", "what is in it")
    for line in table_lines(heads, of_tables, width, heads=heads[:1]):
        click.echo(line)
    print_note("\nrows: for each object of the level and day with delivery.")
    for word, meaning in PROOFS.items():
        print_note(f"proven {word}: {meaning}.")
    print_note(
        "opt-in: each account must enable a feature first. `docs --presets` has all of it, with a"
        " query to begin with."
    )
    names = [*(one.name for one in ready), *(one.name for one in tables)]
    if added := [name for name in names if _is_known(known, name)]:
        print_note(f"\nAdded already: {', '.join(added)}.")
    print_note(f"\n`{command_name()} add NAME` copies one into {folder}.")


def _is_known(known: Reports, name: str) -> bool:
    return name in known.by_name or name in known.objects or name in known.broken


def _shown_folder(environ: Mapping[str, str]) -> str:
    return shown(reports_folder(environ) or Path(REPORTS_FOLDER))
