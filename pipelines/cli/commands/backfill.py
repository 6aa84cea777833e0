"""`fbinsights backfill`: loads account-days, and reports their outcomes at the end."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED, WRONG_USE
from pipelines.cli.output.json_lines import print_json
from pipelines.cli.output.progress import Bar
from pipelines.cli.output.streams import why_incomplete
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.terminal import print_note, width_of
from pipelines.cli.selection import not_begun, plan_of, require_started
from pipelines.cli.session import guarded, keep_pictures, opened_session, publish_into
from pipelines.cli.summary import Summary
from pipelines.cli.waits import waits_of
from pipelines.loading.accounts.discovery import discover
from pipelines.settings import settings_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipelines.loading.accounts.discovery import Discovery
    from pipelines.loading.session import Session
    from pipelines.reports.catalog import Reports

__all__ = ["close", "run_backfill"]


def run_backfill(  # noqa: PLR0913  # what a command line says
    environ: Mapping[str, str],
    known: Reports,
    since: date,
    until: date,
    *,
    accounts: Sequence[str] = (),
    reports: Sequence[str] = (),
    accept_empty: bool = False,
    style: Style = FOR_PEOPLE,
) -> int:
    """Load, prove and publish account-days, of all `known` reports unless some are named; returns
    the exit code.

    `accept_empty`: days that had rows become empty at once if Meta returns none. Raises
    ConfigError, TokenError and other GraphErrors of the first call before anything is written.
    """
    settings = settings_of(environ)
    with settings.open_graph() as client:
        found = discover(client, settings.account_ids)
        started = datetime.now(UTC)
        plan = plan_of(found, known, (since, until), started, accounts=accounts, reports=reports)
        require_started(plan)
        summary = Summary(plan, started, plan.wanted)
        number = sum(map(len, summary.wanted.values()))
        with (
            Bar(
                number, waits_of(open_store(settings.warehouse_url)), is_quiet=style.is_quiet
            ) as bar,
            opened_session(environ, known, client, summary, bar, accept_empty=accept_empty) as (
                session,
                recording,
            ),
        ):
            _load(session, summary, found, bar)
            if not summary.stopped or recording.steps:  # what was loaded is published anyway
                publish_into(recording, summary, bar, settings, known.catalog)
    return close(summary, "backfill", style)


def _load(session: Session, summary: Summary, found: Discovery, bar: Bar) -> None:
    """Accounts, their objects, the reports, then pictures of ads. If accounts cannot be stored in
    the lake, those that are there already are loaded all the same.
    """
    plan = summary.plan
    with guarded(summary, "accounts"):
        session.load_accounts(found)
    if not summary.stopped:
        bar.step("listing objects")
        with guarded(summary, "objects"):
            summary.note_listed(session.list_objects(plan.account_ids, needed=True))
    for name, report in plan.reports.items():
        if not summary.stopped:
            bar.stage(name)
            with guarded(summary, name):
                session.load(report, summary.wanted[name])
    if not summary.stopped:
        keep_pictures(session, summary, bar, plan.account_ids)


def _tell_if_lost(summary: Summary) -> None:
    """Print the totals on stderr where stdout cannot be written: what is loaded is loaded."""
    if why_incomplete():
        print_note(summary.totals())


def close(summary: Summary, command: str, style: Style, **more: Any) -> int:
    """Show what became of all, and what went wrong; returns the exit code. `more` goes into the
    last line of JSON.
    """
    code = ALL_DONE if summary.all_done else SOME_FAILED
    code = WRONG_USE if summary.stopped else code
    if style.is_json:
        for line in summary.json_lines(command, code, **more):
            print_json(line)
        _tell_if_lost(summary)
        return code
    for line in summary.table(width_of(sys.stdout)):
        click.echo(line)
    _tell_if_lost(summary)
    plan = summary.plan
    for line in not_begun(dict.fromkeys(plan.account_ids, plan.days), plan.todays):
        style.remark(line)
    for line in summary.complaints(width_of(sys.stderr)):
        style.error(line)
    return code
