"""Dagster runs in this process: the instance that the UI reads, and one job after the other."""

from __future__ import annotations

import builtins
import os
import signal
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef  # no public way to a folder of one's own

from pipelines.assembly import DEFS
from pipelines.defs.events import told_of
from pipelines.errors import ConfigError
from pipelines.settings import settings_of
from pipelines.state.homes import demand_home
from warehouse.storage.atomic import locked
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dagster._core.execution.plan.objects import StepFailureData

__all__ = ["RunResult", "interrupts", "open_instance", "run_job"]

#: Where `dagster.yaml` lies in a checkout.
CHECKOUT: Final = Path(__file__).resolve().parents[2]

#: Dagster's own lines would drown ours; the UI has them all.
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

#: What is printed here goes to the terminal alone. Dagster would send it through files and, in
#: each run, four processes that copy it from there.
_MIRRORS_NOTHING: Final = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}

#: Tags of the runs of this module: who began them, and in which process (host/pid).
_TAGS: Final = {"fbinsights/started_by": "command line"}
_PROCESS: Final = "fbinsights/process"


@dataclass(frozen=True, slots=True)
class RunResult:
    """How one run ended: (asset, partition key) → why it failed, and why everything stopped.

    What stops everything is the token, a block or the configuration: nothing else fares better.
    """

    run_id: str
    success: bool
    failed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    stopped: str = ""
    output: Any = None  # of the op that was asked for, where that ended well


@contextmanager
def open_instance(environ: Mapping[str, str]) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance: that of DAGSTER_HOME, else the checkout's own, in its folder .dagster.

    The checkout's `dagster.yaml` names that folder relative to where one stands; here it is the
    same from everywhere. Raises ConfigError for a home that shows another lake.
    """
    home = _home_of(environ)
    state = CHECKOUT / ".dagster" if home == CHECKOUT else home
    # Two that are the first at once would both build Dagster's database, and spoil it for good.
    with locked(state):
        overrides = {**(_kept_in(state) if home == CHECKOUT else {}), **_MIRRORS_NOTHING}
        ref = InstanceRef.from_dir(str(state), config_dir=str(home), overrides=overrides)
        opened = dg.DagsterInstance.from_ref(ref)
    with opened as instance:
        demand_home(instance, open_store(settings_of(environ).warehouse_url))
        _end_the_dead(instance)
        yield instance


def _end_the_dead(instance: dg.DagsterInstance) -> None:
    """Mark runs of command lines that were killed on this machine as failed: no daemon watches
    them, and in the grid their account-days would be in progress for ever.
    """
    going = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags=_TAGS)
    for run in instance.get_runs(going):
        host, _, pid = run.tags.get(_PROCESS, "").rpartition("/")
        if host == socket.gethostname() and not _lives(int(pid)):
            instance.report_run_failed(run, "The process of this run was killed.")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, so it is there
        return True
    return True


def _home_of(environ: Mapping[str, str]) -> Path:
    """The folder that DAGSTER_HOME names, else the checkout. Raises ConfigError."""
    home = Path(environ.get("DAGSTER_HOME") or CHECKOUT).expanduser()
    if not (home.is_absolute() and home.is_dir()):
        raise ConfigError(
            f"DAGSTER_HOME must be the absolute path of an existing folder, not '{home}'."
        )
    return home.resolve()


def _kept_in(state: Path) -> Mapping[str, object]:
    """What the checkout's `dagster.yaml` says of places, with `state` for .dagster. What it keeps
    elsewhere, in Postgres or in a bucket, stays there.
    """
    written = CHECKOUT / "dagster.yaml"
    said = yaml.safe_load(written.read_text(encoding="utf-8")) if written.exists() else {}
    places: Mapping[str, Mapping[str, object]] = {
        "storage": {"sqlite": {"base_dir": str(state)}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(state)},
        },
    }
    return {
        section: place
        for section, place in places.items()
        if _kind(said.get(section, place)) == _kind(place)
    }


def _kind(place: Mapping[str, object]) -> object:
    """``sqlite`` or ``postgres`` of storage; the class of all else."""
    return place.get("class") or next(iter(place))


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Gives a function that raises KeyboardInterrupt if there was a Ctrl-C since it last looked.

    Dagster forgets one that comes while it is between two steps; it cannot forget bytes in a
    socket. For the main thread only.
    """
    heard, told = socket.socketpair()
    heard.settimeout(0)
    told.settimeout(0)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def look() -> None:
        with suppress(BlockingIOError):
            if signal.SIGINT in heard.recv(4096):
                raise KeyboardInterrupt

    try:
        yield look
    finally:
        signal.set_wakeup_fd(before)
        heard.close()
        told.close()


def run_job(  # noqa: PLR0913  # what to run, over what, and how
    instance: dg.DagsterInstance,
    name: str,
    first: str | None = None,
    last: str | None = None,
    *,
    config: Mapping[str, Mapping[str, object]] | None = None,
    tags: Mapping[str, str] | None = None,
    output_of: str = "",
) -> RunResult:
    """Run a job of `pipelines.defs.jobs` here and now, over the partitions from `first` to `last`.

    `config` of its ops, by their names; `tags` of the run besides ours; `output_of` names the op
    whose output is wanted. Raises KeyboardInterrupt for Ctrl-C, which Dagster takes for a failed
    run.
    """
    all_tags = {**(tags or {}), **_TAGS, _PROCESS: f"{socket.gethostname()}/{os.getpid()}"}
    if first is not None and last is not None:
        all_tags |= {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
    result = DEFS.resolve_job_def(name).execute_in_process(
        instance=instance,
        tags=all_tags,
        run_config={**_QUIET, "ops": {op: {"config": said} for op, said in (config or {}).items()}},
        raise_on_error=False,
    )
    failed: dict[tuple[str, str], str] = {}
    stopped = ""
    has_output = output_of and result.is_node_success(output_of)
    output = result.output_for_node(output_of) if has_output else None
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        bad, why = told_of(data)
        if bad or why:
            failed |= bad
            stopped = stopped or why
        elif data.error and data.error.cls_name == "DagsterExecutionInterruptedError":
            raise KeyboardInterrupt
        else:  # a fault of ours, or of the disk: the rest may still go on
            failed[str(event.step_key), "run " + result.run_id] = _told(data)
    return RunResult(result.run_id, result.success, failed, stopped, output)


def _told(data: StepFailureData) -> str:
    """What happened; where it in the code happened only if nobody foresaw it."""
    cause = data.error.cause if data.error else None
    name, _, said = cause.message.strip().partition(": ") if cause else ("", "", "")
    kind = getattr(builtins, name, None)
    of_the_disk = isinstance(kind, type) and issubclass(kind, OSError)
    foreseen = of_the_disk or name.startswith("warehouse.errors.")
    return said if foreseen else data.error_display_string
