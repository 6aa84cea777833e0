"""How a run that serves many partitions tells Dagster what became of each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData  # no public way to plan

from fbgraph import act_id
from pipelines.defs.data_versions import accounts_version, content_version, version_tags
from pipelines.defs.metadata import listing_metadata, published_metadata, unreadable_metadata
from pipelines.errors import ConfigError
from pipelines.loading.failures import Failures
from pipelines.loading.listings import store_accounts, text_of
from pipelines.loading.partitions import AD_ACCOUNTS, key_of
from pipelines.resources import FAILED, STOPPED
from pipelines.state.homes import demand_home
from pipelines.state.origin import claimed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dagster._core.execution.plan.objects import StepFailureData

    from pipelines.defs.metadata import Beside
    from pipelines.loading.listings import Discovery
    from pipelines.loading.load_result import Outcome
    from pipelines.loading.objects import Listed
    from warehouse.lake.partitions import Lake
    from warehouse.published.publish import Published

_log = logging.getLogger(__name__)

__all__ = [
    "Part",
    "evaluation_of",
    "failure_of",
    "listed_part",
    "loaded_part",
    "plan",
    "published_by_others",
    "published_events",
    "record",
    "record_accounts",
    "record_good",
    "seen_change",
    "take_in_accounts",
    "told_of",
]


class Part(NamedTuple):
    """One partition of a run: what to show of it and its data version, or why it failed."""

    partition_key: str
    metadata: Mapping[str, Any]
    error: str = ""
    version: str = ""


def listed_part(found: Listed, lake: Lake) -> Part:
    """The objects of one account."""
    key, listing = act_id(found.account_id), found.listing
    if listing is None:
        return Part(key, {}, found.error)
    version = content_version(lake, found.table, found.account_id)
    return Part(key, listing_metadata(found, listing), found.error, version)


def loaded_part(outcome: Outcome, beside: Beside) -> Part:
    """One account-day of a report."""
    load = outcome.load
    metadata, version = ({}, "") if load is None else beside.of_load(load)
    return Part(key_of(outcome.account_day), metadata, outcome.error, version)


def take_in_accounts(
    instance: dg.DagsterInstance, lake: Lake, found: Discovery, now: datetime
) -> Mapping[str, Any]:
    """Put accounts into the lake and into the grid; the metadata of the asset `accounts`.

    Nothing is loaded of an account that is not in the lake, so here is where a lake's source is
    settled. Raises ConfigError where it is another or the home shows another lake, and
    WarehouseError as `store_accounts`.
    """
    if why := claimed(lake.store, found.graph_url):
        raise ConfigError(why)
    demand_home(instance, lake.store)
    _warn_of_strangers(lake, found)
    merged = store_accounts(lake, [*found.rows, *found.unreadable], now)
    if merged.unreadable:
        _log.warning("accounts: %s", merged.unreadable)
    Failures(lake.store, "accounts").note_all(found.refused, now)
    keys = [act_id(row["account_id"]) for row in found.rows]
    instance.add_dynamic_partitions(AD_ACCOUNTS, keys)
    return {
        "dagster/row_count": merged.rows.num_rows,
        "seen_now": len(keys),
        "names": {act_id(row["account_id"]): text_of(row, "name") for row in found.rows},
        "refused": dict(found.refused),
        **unreadable_metadata(merged.unreadable),
    }


def _warn_of_strangers(lake: Lake, found: Discovery) -> None:
    """Warn where a token sees none of the accounts that are there: it may be another business's."""
    there = set(lake.read("accounts").column("account_id").to_pylist())
    seen = {row["account_id"] for row in found.rows}
    if there and seen and not there & seen:
        _log.warning(
            "%s holds %d ad accounts, and none of them is among the %d that the token sees (or that"
            " FB_ACCOUNT_IDS names). If those belong"
            " to another business, load them into a lake of their own (WAREHOUSE_URL); `fbinsights"
            " forget` removes an account.",
            *(lake.store.name(), len(there), len(seen)),
        )


def record_accounts(
    instance: dg.DagsterInstance, lake: Lake, found: Discovery, now: datetime
) -> None:
    """Do what the asset `accounts` does with accounts that were found outside of any run."""
    metadata = take_in_accounts(instance, lake, found, now)
    tags = version_tags(accounts_version(lake))
    instance.report_runless_asset_event(
        dg.AssetMaterialization("accounts", metadata=metadata, tags=tags)
    )


def seen_change(change: str) -> dg.AssetMaterialization:
    """What Dagster is told of the asset `lake`: its last change, by the note's id."""
    return dg.AssetMaterialization("lake", tags=version_tags(change or "none"))


def published_events(
    published: Published,
) -> tuple[dg.AssetMaterialization, dg.AssetMaterialization]:
    """What Dagster is told when the published file was made, whoever made it: which state of the
    lake it shows, so that it is "Unsynced" from the next change on.
    """
    seen = seen_change(published.change)
    tags = version_tags(str(published.version), {"lake": published.change or "none"})
    return seen, dg.AssetMaterialization(
        "warehouse_duckdb", metadata=published_metadata(published), tags=tags
    )


def published_by_others(change: str) -> tuple[dg.AssetMaterialization, dg.AssetMaterialization]:
    """The same of a publish that nobody told of, such as a script's: all that is known of it is the
    change that it shows.
    """
    version = change or "none"
    tags = version_tags(version, {"lake": version})
    return seen_change(change), dg.AssetMaterialization("warehouse_duckdb", tags=tags)


def record(
    context: dg.AssetExecutionContext,
    lake: Lake,
    parts: Iterable[Part],
    checks: Sequence[dg.AssetCheckResult],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Mark the good partitions materialized and, if there are bad ones, fail with their reasons.

    An exception alone would fail them all, and a plain MaterializeResult would mark them all good:
    only so does "re-run failed" in the UI take exactly the bad ones. The asset must be declared
    with ``output_required=False``: each partition is logged by itself, for `add_asset_metadata`
    lists all partitions of the run for each of them.
    """
    parts = list(parts)
    bad = {part.partition_key: part.error for part in parts if part.error}
    if len(parts) == 1 and not bad:
        [one] = parts
        tags = version_tags(one.version, {"accounts": accounts_version(lake)})
        yield dg.MaterializeResult(metadata=one.metadata, tags=tags, check_results=checks)
        return
    record_good(context.op_execution_context, context.asset_key, lake, parts)
    yield from checks
    if bad:
        raise failure_of({context.asset_key.to_user_string(): bad}, len(parts))


def failure_of(bad: Mapping[str, Mapping[str, str]], of: int) -> dg.Failure:
    """The failure of a run that did the rest: asset → partition key → why, of so many in all."""
    lines = [f"{key}: {why}" for failed in bad.values() for key, why in failed.items()]
    return dg.Failure(
        f"{len(lines)} of {of} failed; their existing data was kept:\n" + "\n".join(lines),
        metadata={FAILED: dg.MetadataValue.json(bad)},
        allow_retries=False,
    )


def evaluation_of(asset: str, result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """A result as the event of a check, for those who are no step of the asset."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=str(result.check_name),
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
    )


def told_of(data: StepFailureData) -> tuple[Mapping[tuple[str, str], str], str]:
    """What the failure of a step tells: (asset, partition key) → why, and why everything stopped.
    Nothing of both for what nobody foresaw.
    """
    told = data.user_failure_data.metadata if data.user_failure_data else {}
    bad = told.get(FAILED)
    stopped = str(told[STOPPED].value) if STOPPED in told else ""
    if not (isinstance(bad, dg.JsonMetadataValue) and isinstance(bad.data, dict)):
        return {}, stopped
    parts = {
        (asset, key): str(why) for asset, keys in bad.data.items() for key, why in keys.items()
    }
    return parts, stopped


def plan(
    context: dg.OpExecutionContext, asset: dg.AssetKey | str, partition_keys: Iterable[str]
) -> None:
    """Tell Dagster that this run is to materialize partitions, for a step that is none of the
    asset's: Dagster plans those of an asset's own runs by itself.

    In the grid they are in progress while the run goes on, and failed when the run fails and they
    are still not there.
    """
    key = dg.AssetKey.from_coercible(asset)
    for partition_key in partition_keys:
        planned = dg.DagsterEvent.build_asset_materialization_planned_event(
            context.job_name,
            context.get_step_execution_context().step.key,
            AssetMaterializationPlannedData(key, partition=partition_key),
        )
        context.instance.report_dagster_event(planned, context.run_id, logging.DEBUG)


def record_good(
    context: dg.OpExecutionContext, asset: dg.AssetKey | str, lake: Lake, parts: Iterable[Part]
) -> None:
    """Mark the good partitions of an asset: what is in the lake is in the grid."""
    inputs = {"accounts": accounts_version(lake)}
    for key, metadata, error, version in parts:
        if not error:
            tags = version_tags(version, inputs)
            context.log_event(
                dg.AssetMaterialization(asset, partition=key, metadata=metadata, tags=tags)
            )
