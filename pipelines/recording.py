"""How a run that serves many partitions tells Dagster what became of each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dagster as dg

from fbgraph.errors import ENDS_EVERYTHING
from pipelines.settings import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["FAILED", "STOPPED", "Part", "record", "record_good", "stopping"]

#: Keys in the metadata of a failed run: partition key → why; and why everything stopped.
FAILED: Final = "failed"
STOPPED: Final = "stopped"


@contextmanager
def stopping() -> Iterator[None]:
    """Turn what stops everything into a Failure that says so once, without a traceback of ours."""
    try:
        yield
    except (*ENDS_EVERYTHING, ConfigError) as error:
        raise dg.Failure(str(error), metadata={STOPPED: str(error)}, allow_retries=False) from None


class Part(NamedTuple):
    """One partition of a run: what to show of it, or why it failed."""

    partition_key: str
    metadata: Mapping[str, Any]
    error: str = ""


def record(
    context: dg.AssetExecutionContext,
    parts: Sequence[Part],
    checks: Sequence[dg.AssetCheckResult],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Mark the good partitions materialized and, if there are bad ones, fail with their reasons.

    An exception alone would fail them all, and a plain MaterializeResult would mark them all good:
    only so does "re-run failed" in the UI take exactly the bad ones.
    """
    bad = {part.partition_key: part.error for part in parts if part.error}
    if not bad:
        for part in parts:
            context.add_asset_metadata(part.metadata, partition_key=part.partition_key)
        yield dg.MaterializeResult(check_results=checks)
        return
    record_good(context, parts)
    yield from checks
    raise dg.Failure(
        f"{len(bad)} of {len(parts)} failed and keep what they had:\n"
        + "\n".join(f"{key}: {why}" for key, why in bad.items()),
        metadata={FAILED: dg.MetadataValue.json(bad)},
        allow_retries=False,
    )


def record_good(context: dg.AssetExecutionContext, parts: Iterable[Part]) -> None:
    """Mark the good partitions of a run that will fail: what is in the lake is in the grid."""
    for part in parts:
        if not part.error:
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key, partition=part.partition_key, metadata=part.metadata
                )
            )
