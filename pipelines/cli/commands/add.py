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
from pipelines.reports.rules import findings
from pipelines.settings import reports_folder
from pipelines.variables import REPORTS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipelines.project.ready_reports import ReadyReport
    from pipelines.reports.catalog import Reports

__all__ = ["run_add"]


def run_add(environ: Mapping[str, str], known: Reports, names: Sequence[str]) -> int:
    """Copy ready reports and tables, or list all of them. Raises ConfigError, before anything is
    written, for a name that does not exist or is taken: by a file, or by a report or table in one.
    """
    ready, tables = ready_reports(), ready_tables()
    folder = reports_folder(environ) or Path(REPORTS_FOLDER)
    if not names:
        _list(ready.values(), tables.values(), known, shown(folder))
        return ALL_DONE
    wanted = {one.name: one for one in (_chosen(name, ready, tables) for name in names)}
    for one in wanted.values():
        _require_free(one, known, folder)
    for one in wanted.values():
        path = folder / f"{one.name}.yaml"
        if complete(folder, {path.name: one.text}).kept:  # made in this moment
            raise ConfigError(f"{shown(path)} exists already. It was not changed.")
        click.echo(shown(path))
        print_note("\n".join((one.answers, one.costs, *_doubts(one))) + "\n")
    command = command_name()
    reports = [name for name, one in wanted.items() if not isinstance(one, ReadyTable)]
    if len(reports) < len(wanted):
        print_note(f"Refreshes list the objects of these tables from now on: {command} refresh")
    if reports:
        options = " ".join(f"--report {name}" for name in reports)
        print_note(
            "Reports are loaded from now on, with all others. To see what earlier days would cost,"
            f" and to load them:\n    {command} plan {options} --since DAY --until DAY"
            f"\n    {command} backfill {options} --since DAY --until DAY"
        )
    return ALL_DONE


def _chosen(
    name: str, ready: Mapping[str, ReadyReport], tables: Mapping[str, ReadyTable]
) -> ReadyReport | ReadyTable:
    return tables[name] if name in tables else chosen(name, ready)


def _require_free(one: ReadyReport | ReadyTable, known: Reports, folder: Path) -> None:
    path = folder / f"{one.name}.yaml"
    if _is_known(known, one.name):
        kind = "table of objects" if one.name in known.objects else "report"
        raise ConfigError(
            f"A {kind} {one.name} exists already, in {shown(folder)}. Nothing was changed."
        )
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{shown(path)} exists already. Nothing was changed.")


def _doubts(one: ReadyReport | ReadyTable) -> Sequence[str]:
    """What is not sure about a report: said here and by `check`, not by each load."""
    faults = () if isinstance(one, ReadyTable) else findings(one.spec)
    return [f"{fault.value or fault.key}: {fault.rule}." for fault in faults]


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
    print_note(f"\n`{command_name()} add NAME...` copies one or more into {folder}.")


def _is_known(known: Reports, name: str) -> bool:
    return name in known.by_name or name in known.objects or name in known.broken
