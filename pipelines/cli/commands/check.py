"""`fbinsights check`: everything that is wrong with reports, settings and the project folder, at
once, without a request.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fbgraph.catalog.versions import why_not
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.terminal import print_note
from pipelines.loading import access
from pipelines.project.faults import findings_in
from pipelines.reports.files import shown
from pipelines.reports.folders import moves, projects, reports_alone, why_no_folder
from pipelines.reports.yaml_files import unread_files
from pipelines.settings import settings_of, wrong_settings
from pipelines.variables import unknown_settings, unknown_text
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipelines.reports.catalog import Reports

__all__ = ["run_check"]


def run_check(environ: Mapping[str, str], known: Reports, today: date) -> int:
    """Print each fault and warning on a line of its own, and a count on stderr; returns the exit
    code: 1 if anything is wrong. Warnings do not count. `today` decides what Meta has ended by now.
    """
    found = findings_in(Path.cwd(), environ)
    # What `.env` has is in the environment too, and was found with its line.
    names = [name for name in environ if name not in found.unknown]
    wrong, doubts = _settings(environ, known, today)
    doubts = [*(unknown_text(*unknown) for unknown in unknown_settings(names)), *doubts]
    doubts += filter(None, [why_no_folder(environ)])
    faults = [*known.faults, *wrong, *found.faults]
    warnings = [*known.warnings, *doubts, *found.warnings, *_moves(environ)]
    for line in faults:
        click.echo(line)
    for line in warnings:
        click.echo(f"{line} (warning)")
    counts = f"{counted(len(faults), 'problem')}, {counted(len(warnings), 'warning')}"
    print_note(f"{counts} in {_closing(environ, known)}")
    return SOME_FAILED if faults else ALL_DONE


def _settings(
    environ: Mapping[str, str], known: Reports, today: date
) -> tuple[Sequence[str], Sequence[str]]:
    """What is wrong with settings, and which of them stop working soon or do not cover
    everything.
    """
    doubts: list[str] = []
    if wrong := wrong_settings(environ):
        return wrong, doubts
    settings = settings_of(environ)
    if not settings.access_token:
        doubts.append("FB_ACCESS_TOKEN is not set: nothing can be loaded without it.")
    asked = {name: report.requests for name, report in known.by_name.items()}
    ended = why_not(settings.api_version, today)
    for is_good, _, detail in (
        (True, "", "") if ended else access.version(settings.api_version, "", today),
        access.retirements(asked, today),
    ):
        if not is_good:
            doubts.append(detail)
    return [ended] if ended else (), doubts


def _moves(environ: Mapping[str, str]) -> Sequence[str]:
    """Files of reports in the old folder, with the command that moves each."""
    return [f"{shown(path)}: move it: {command}" for path, command in moves(environ)]


def _closing(environ: Mapping[str, str], known: Reports) -> str:
    """The folders, which reports load, and files that are not read."""
    folder = reports_alone(environ)
    folders = [*projects(environ), *([folder] if folder else ())]
    where = "".join(f"{shown(one)} and " for one in folders) + "the settings"
    others = ", ".join(shown(path) for path in unread_files(folder)) if folder else ""
    left = f" Not read, because reports are .yaml or .yml files: {others}." if others else ""
    tables = f" Tables of objects: {', '.join(known.objects)}." if known.objects else ""
    return f"{where}. Reports that load: {', '.join(known.by_name)}.{tables}{left}"
