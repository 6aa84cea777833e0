"""Which partitions of a load are news to Dagster.

A day that is loaded again and is as it was before needs no event: each takes 6 to 12 kB of
Dagster's database for ever. What an event says is compared with the last one of its partition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from pipelines.defs.event_log.data_versions import version_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.defs.event_log.events import Part

__all__ = ["materialized", "news_in"]

#: What is compared: verdicts and sums. Who asked when, at what cost, is in the table `loads`.
_COMPARED: Final = (
    *("verdict", "reason", "conversions", "conversions_reason", "dagster/partition_row_count"),
    *("impressions", "clicks", "spend", "control_impressions", "control_clicks", "control_spend"),
    *("rejected", "rejected_cells", "missing_fields", "total_count"),
)

#: Partitions of one query.
_AT_ONCE: Final = 400

#: Events after which a partition is not what its last materialization says: a load that was to come
#: or has failed.
_AFTER: Final = (
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_OBSERVATION,
)


def news_in(
    instance: dg.DagsterInstance, key: dg.AssetKey, parts: Sequence[Part]
) -> Sequence[Part]:
    """The parts that tell Dagster something new: what failed or was skipped, what it has no event
    of or does not show as loaded, and what has other rows, sums or another verdict. If nothing that
    was loaded does, the newest part all the same: Dagster compares the time of an asset's last
    event with its freshness policy.
    """
    loaded = [part for part in parts if not part.error and not part.skipped]
    known = set(_known(instance, key, loaded))
    if loaded and len(known) == len(loaded):
        known.discard(max(loaded, key=_day_of).partition_key)
    return [part for part in parts if part.partition_key not in known]


def materialized(instance: dg.DagsterInstance, key: dg.AssetKey, keys: Sequence[str]) -> set[str]:
    """Those of the partitions that were ever loaded."""
    kind, found = dg.DagsterEventType.ASSET_MATERIALIZATION, set[str]()
    for begin in range(0, len(keys), _AT_ONCE):
        some = {*keys[begin : begin + _AT_ONCE]}
        found |= instance.get_latest_storage_id_by_partition(key, kind, some).keys()
    return found


def _day_of(part: Part) -> str:
    return part.partition_key.rpartition("|")[2]


def _known(instance: dg.DagsterInstance, key: dg.AssetKey, parts: Sequence[Part]) -> Iterator[str]:
    """The keys of the parts whose last event says all that is known."""
    for begin in range(0, len(parts), _AT_ONCE):
        some = {part.partition_key: part for part in parts[begin : begin + _AT_ONCE]}
        last = instance.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, {*some}
        )
        for kind in _AFTER:
            later = instance.get_latest_storage_id_by_partition(key, kind, {*some})
            last = {one: number for one, number in last.items() if later.get(one, 0) < number}
        if not last:
            continue
        only = dg.AssetRecordsFilter(asset_key=key, storage_ids=[*last.values()])
        for record in instance.fetch_materializations(only, limit=len(last)).records:
            event = record.asset_materialization
            if (
                event
                and event.partition
                and _content(event) == _content_of(key, some[event.partition])
            ):
                yield event.partition


def _content_of(key: dg.AssetKey, part: Part) -> Mapping[str, Any]:
    event = dg.AssetMaterialization(key, partition=part.partition_key, metadata=part.metadata)
    return {**_content(event), "version": part.version}


def _content(event: dg.AssetMaterialization) -> Mapping[str, Any]:
    content = {name: event.metadata[name].value for name in _COMPARED if name in event.metadata}
    return {**content, "version": version_in(event)}
