"""A session of the command line: this process loads, and reports to Dagster at the end."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import traceback
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from pipelines.cli.summary import command_name
from pipelines.errors import STOPS_A_LOAD, ConfigError, UnreachableDagsterError, why_full
from pipelines.interrupts import with_cost
from pipelines.loading.load_result import Target
from pipelines.loading.recording import Command, Recording
from pipelines.loading.session import Loads, Session
from pipelines.settings import settings_of
from pipelines.state.homes import home_of, seems_to_show_another
from pipelines.state.unreported import Unreported
from warehouse.errors import WarehouseError
from warehouse.lake.definitions import FOLDER
from warehouse.lake.partitions import Lake
from warehouse.published.known import lake_with_records
from warehouse.published.publish import publish, require_carried
from warehouse.schema.objects.creatives import THUMBNAILS
from warehouse.storage.url import open_store
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import dagster as dg

    from fbgraph import GraphClient
    from pipelines.cli.output.progress import Bar
    from pipelines.cli.summary import Summary
    from pipelines.reports.catalog import Reports
    from pipelines.settings import Settings
    from warehouse.published.publish import Published
    from warehouse.schema.catalog import Catalog
    from warehouse.storage.store import Store

__all__ = ["guarded", "keep_pictures", "opened_session", "publish_into", "run_publish"]

_log = logging.getLogger(__name__)

#: Of more that could not be published, the number; the log has all.
_MOST_WHYS: Final = 3

#: Tables that a line about them names.
_MOST_TABLES: Final = 5


@contextmanager
def opened_session(  # noqa: PLR0913  # all that a load is made of
    environ: Mapping[str, str],
    known: Reports,
    client: GraphClient,
    summary: Summary,
    bar: Bar,
    *,
    accept_empty: bool,
) -> Iterator[tuple[Session, Recording]]:
    """A session under an id of its own, and its recording. What it did is reported to Dagster when
    the block ends; after an exception such as Ctrl-C, by the next load.

    Raises ConfigError where Dagster's home shows another lake, and WarehouseError where the lake
    cannot be written.
    """
    settings = settings_of(environ)
    lake = lake_with_records(settings.warehouse_url, known.catalog)
    if seems_to_show_another(environ, lake.store):
        with suppress(UnreachableDagsterError), _dagster(environ, lake):
            pass  # it does not
    lake.require_writable()
    run_id = str(uuid4())
    recording = Recording()
    note = Unreported.of_this_process(
        *(run_id, summary.started, list(summary.plan.reports), summary.plan.days),
        summary.plan.account_ids,
    )
    note.keep(lake.store)
    with with_cost(lambda: _interrupted(lake, summary.plan.reports)):
        yield (
            Session(
                *(client, lake, run_id, _now, recording, accept_empty),
                media=settings.media,
                delay=settings.intraday_delay,
            ),
            recording,
        )
    for step in recording.steps:
        if isinstance(step, Loads):
            summary.note_outcomes(step)
    summary.read(lake)
    recording.command = _command_of(summary)
    bar.step("reporting to Dagster")

    def report(instance: dg.DagsterInstance) -> None:
        from pipelines.defs.event_log.runless import report_recording, report_unreported  # noqa: PLC0415

        report_recording(instance, lake, client, recording, known, _now())
        report_unreported(instance, lake, known, _now())

    if _is_reported(environ, lake, report):
        note.forget(lake.store)


def _command_of(summary: Summary) -> Command:
    """What Dagster is told about the command that runs."""
    return Command(
        " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        *(summary.started, socket.gethostname()),
        dict(summary.failed),
        dict(summary.unproven),
        summary.stopped,
    )


def _interrupted(lake: Lake, reports: Iterable[str]) -> str:
    """What is said after Ctrl-C, if it cost anything but time. The lake counts: what was loaded a
    moment ago is there before anybody has logged it.
    """
    loaded = sum(lake.put_loads[report] for report in reports)
    if not loaded:
        return ""
    days = counted(loaded, "account-day is", "account-days are")
    return (
        f"Interrupted. No partial data was written; {days} in the lake and not published yet. Run"
        f" the same command again to resume, or `{command_name()} publish` to publish those."
    )


def _is_reported(
    environ: Mapping[str, str], lake: Lake, report: Callable[[dg.DagsterInstance], None]
) -> bool:
    """Report to Dagster; whether that went well. If its home or its storage fails, the lake has
    everything all the same.
    """
    try:
        with _dagster(environ, lake) as instance:
            report(instance)
    except UnreachableDagsterError as error:
        why = str(error)
    except (ConfigError, WarehouseError) as error:
        why = f"This could not be reported to Dagster: {error}"
    except Exception as error:  # noqa: BLE001  # of whatever kind: Postgres, a disk, another version
        from pipelines.state.dagster_home import why_unreachable  # noqa: PLC0415  # imported by now

        why = why_unreachable(environ, error)
    else:
        return True
    _log.warning("%s What is loaded is in the lake; the next load reports it to Dagster.", why)
    return False


@contextmanager
def _dagster(environ: Mapping[str, str], lake: Lake) -> Iterator[dg.DagsterInstance]:
    """The instance of Dagster, as `open_instance`. Importing and opening it takes 70 MB, which the
    load and the publish need first, so it comes last.
    """
    with ExitStack() as closing:
        # What is imported stays: collections of garbage meanwhile are a third of the CPU.
        gc.disable()
        try:
            from pipelines.state.dagster_home import open_instance  # noqa: PLC0415

            instance = closing.enter_context(open_instance(environ, lake.store))
        finally:
            gc.enable()
        yield instance


@contextmanager
def guarded(summary: Summary, table: str) -> Iterator[None]:
    """A step of a load whose failure is printed in the summary; the next steps go on, unless
    everything has to stop.
    """
    try:
        yield
    except STOPS_A_LOAD as error:
        summary.stopped = str(error)
    except WarehouseError as error:  # nobody needs to know where in the code
        summary.failed[Target(table)] = str(error)
    except OSError as error:
        full = why_full(error)
        summary.stopped = summary.stopped or full
        summary.failed[Target(table)] = full or str(error)
    except Exception as error:  # noqa: BLE001  # a fault of ours: the rest may still go on
        summary.failed[Target(table)] = "".join(traceback.format_exception(error))


def keep_pictures(session: Session, summary: Summary, bar: Bar, account_ids: Sequence[str]) -> None:
    """Download pictures of ads. It comes after all that reports need, and takes its minute."""
    if session.media:
        bar.step("downloading thumbnails")
        with guarded(summary, THUMBNAILS.name):
            session.keep_pictures(account_ids)


def publish_into(
    recording: Recording, summary: Summary, bar: Bar, settings: Settings, catalog: Catalog
) -> None:
    """Publish the lake, and record that for Dagster."""
    bar.step("publishing")
    with guarded(summary, "warehouse_duckdb"):
        published = recording.published = publish(
            settings.warehouse_url, catalog=catalog, destination=settings.destination
        )
        if published.left_out:
            whys = [*published.left_out.values()]
            more = f"; and {len(whys) - _MOST_WHYS} more" if len(whys) > _MOST_WHYS else ""
            summary.failed[Target("warehouse_duckdb")] = (
                f"not everything could be published: {'; '.join(whys[:_MOST_WHYS])}{more}"
            )
            summary.repairs = published.commands
        require_carried(published.not_carried)


def run_publish(environ: Mapping[str, str], known: Reports) -> Published:
    """Publish, and report that to Dagster if it is used. Raises WarehouseError, also if the other
    destination does not show it, and ConfigError, before, where Dagster's home cannot be.
    """
    settings = settings_of(environ)
    home_of(environ)
    url = settings.warehouse_url
    published = publish(url, catalog=known.catalog, destination=settings.destination)
    store = open_store(url)
    _warn_of_unfilled(store, sorted(published.rows.keys() - known.catalog.tables.keys()))
    from pipelines.defs.event_log.runless import report_published  # noqa: PLC0415  # published before all else
    from pipelines.state.dagster_home import is_there  # noqa: PLC0415

    if is_there(environ):
        _is_reported(
            environ, Lake(url), lambda dagster: report_published(dagster, published, known)
        )
    require_carried(published.not_carried)
    return published


def _warn_of_unfilled(store: Store, tables: Sequence[str]) -> None:
    """Say which tables no report here fills, in one line."""
    if not tables:
        return
    more = f" and {len(tables) - _MOST_TABLES} more" if len(tables) > _MOST_TABLES else ""
    _log.warning(
        "No report here fills %s: %s%s. What was loaded is published. If a Dagster project or"
        " another folder has the reports, set FB_REPORTS to that. If a report is deleted and its"
        " table is to go, delete %s and %s, then publish again.",
        *(counted(len(tables), "table"), ", ".join(tables[:_MOST_TABLES]), more),
        *(store.name(f"{FOLDER}/{tables[0]}.json"), store.name(tables[0])),
    )


def _now() -> datetime:
    return datetime.now(UTC)
