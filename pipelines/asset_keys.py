"""Where the assets are in Dagster's catalogue: their keys and groups.

In our own code location a key is the name alone. In a Dagster project of somebody else the
component `Warehouse` may put a prefix before it, and a report one of its own. Whatever defines,
selects, observes or reports an asset gets its key from here, in a run and without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from pipelines.reports.catalog import Reports
    from pipelines.reports.spec import Placed

__all__ = ["AssetKeys"]


@dataclass(frozen=True, slots=True)
class AssetKeys:
    """Name of an asset → its key: ``keys("accounts")``. `prefix` and `group` are those of all;
    `of_reports` what reports name for themselves.
    """

    prefix: tuple[str, ...] = ()
    group: str | None = None
    of_reports: Mapping[str, Placed] = field(default_factory=dict)

    @classmethod
    def of(cls, reports: Reports) -> Self:
        """Raises ConfigError where the project's warehouse cannot be read: events under other keys
        would be of other assets.
        """
        warehouse = reports.warehouse
        if warehouse is None:
            raise ConfigError(
                "The component Warehouse of this project cannot be read, so the keys of its assets"
                " are unknown: `fbinsights check` says what is wrong."
            )
        of_reports = {name: report.spec for name, report in reports.by_name.items()}
        of_all = {**of_reports, **reports.objects}
        return cls(warehouse.key_prefix or (), warehouse.group_name, of_all)

    def __call__(self, asset: str) -> dg.AssetKey:
        own = self.of_reports.get(asset)
        prefix = self.prefix if own is None or own.key_prefix is None else own.key_prefix
        return dg.AssetKey([*prefix, asset])

    def group_of(self, asset: str, usual: str) -> str:
        """The group of an asset; `usual` is the one that it has where nothing names another."""
        own = self.of_reports.get(asset)
        return (own.group_name if own else None) or self.group or usual
