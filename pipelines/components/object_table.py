"""The component behind `type: pipelines.components.ObjectTable`: a table of what an ad account has
on an edge, in a Dagster project of a user.

Tables in FB_REPORTS are written in the same YAML, and both are read without Dagster by the command
line (`reports.files`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import dagster as dg
from pydantic import BaseModel

from pipelines.assembly import GRAPH
from pipelines.asset_keys import AssetKeys
from pipelines.components.reading import (
    KeyPrefix,
    file_of,
    known_keys,
    reports_of_project,
    require_sound,
    warn_of_unread,
)
from pipelines.components.scaffolding import ObjectTableScaffolder
from pipelines.defs.assets import objects_asset
from pipelines.defs.jobs import asset_jobs
from pipelines.errors import ConfigError
from pipelines.reports.files import shown
from pipelines.reports.object_spec import FieldSpec, ObjectSpec, object_table_of
from warehouse.errors import UnfitTableError

__all__ = ["ObjectTable"]

#: In YAML a field is its name, or has keys of its own.
_Fields = Annotated[
    tuple[FieldSpec, ...],
    dg.Resolver(lambda _, fields: fields, model_field_type=Sequence[str | dict[str, Any]]),
]


@dg.scaffold_with(ObjectTableScaffolder)
class ObjectTable(ObjectSpec, dg.Component, dg.Resolvable):
    """A table of objects of ad accounts: an asset with a partition per account, its history, its
    check and its job.
    """

    key_prefix: KeyPrefix = None
    fields: _Fields

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The keys as `dg` and Dagster's pages show them."""
        return known_keys(super().model(), ObjectSpec)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset. Raises ConfigError with everything that is wrong with the table, with file and
        line.
        """
        reports, path = reports_of_project(context), file_of(context)
        require_sound(self, path, reports, "table of objects")
        row, catalog = object_table_of(self), reports.catalog
        if reports.objects.get(self.name) != ObjectSpec(**self.model_dump()):
            where = f"{shown(path)}: name: {self.name}"
            warn_of_unread(where, "table of objects")
            try:
                catalog = catalog.with_objects(row)
            except UnfitTableError as error:
                raise ConfigError(f"{where}: {error}") from None
        keys = AssetKeys.of(reports)
        keys = replace(keys, of_reports={**keys.of_reports, self.name: self})
        return dg.Definitions.merge(
            dg.Definitions(
                assets=[objects_asset(row, catalog, keys, self.owners)],
                resources={"graph": GRAPH},
            ),
            asset_jobs({f"{self.name}_job": [self.name]}, keys),
        )
