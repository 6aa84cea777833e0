"""Dagster runs in this process, as a click would have them in another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipelines.definitions import defs
from pipelines.defs.event_log.run_events import failures_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagster as dg

__all__ = ["RunResult", "run_job"]

#: Dagster's own lines would drown those of a test.
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class RunResult:
    """How one run ended: (asset, partition key) → why it failed, and why everything stopped."""

    run_id: str
    success: bool
    failed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    stopped: str = ""
    output: Any = None  # of the op that was asked for, where that ended well


def run_job(  # what to run, over what, and how
    instance: dg.DagsterInstance,
    name: str,
    first: str | None = None,
    last: str | None = None,
    *,
    config: Mapping[str, Mapping[str, object]] | None = None,
    tags: Mapping[str, str] | None = None,
    output_of: str = "",
    of: dg.Definitions = defs,
) -> RunResult:
    """Run a job here and now, over the partitions from `first` to `last`. `config` of its ops, by
    their names; `output_of` names the op whose output is wanted; `of`: what it is defined in, by
    default what Dagster loads. What nobody foresaw has failed under the key of its step.
    """
    all_tags = dict(tags or {})
    if first is not None and last is not None:
        all_tags |= {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
    result = of.resolve_job_def(name).execute_in_process(
        instance=instance,
        tags=all_tags,
        run_config={**_QUIET, "ops": {op: {"config": said} for op, said in (config or {}).items()}},
        raise_on_error=False,
    )
    failed: dict[tuple[str, str], str] = {}
    stopped = ""
    has_output = output_of and result.is_node_success(output_of)
    for event in result.filter_events(lambda event: event.is_step_failure):
        bad, why = failures_in(event)
        failed |= bad
        stopped = stopped or why
        if not bad and not why:
            failed[str(event.step_key), ""] = event.step_failure_data.error_display_string
    output = result.output_for_node(output_of) if has_output else None
    return RunResult(result.run_id, result.success, failed, stopped, output)
