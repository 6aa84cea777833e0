"""Files of an older catalog: columns and windows that came or went, and kinds that changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse.published.asking import ask
from warehouse.errors import ChangedKindError, WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import Catalog
from warehouse.schema.table import Column
from warehouse.schema.tables import TABLES
from warehouse.schema.views.listed import VIEWS
from warehouse.schema.views.long_form import long_actions


def younger(column: Column) -> Catalog:
    """Another catalog: `insights_hourly` with a column added or changed."""
    table = TABLES["insights_hourly"]
    others = tuple(c for c in table.columns if c.name != column.name)
    changed = replace(table, columns=(*others, column))
    listed = long_actions(changed)
    assert listed
    return Catalog(
        {**TABLES, table.name: changed}, {**VIEWS, listed.name: listed}, frozenset({table.name})
    )


def test_a_column_added_to_the_catalogue_is_null_in_older_files(days: Any, lake: Lake) -> None:
    days.put(account="12")
    publish(lake.root)
    catalog = younger(Column("reach", "count", "Accounts that saw it"))
    publish(lake.root, catalog=catalog)

    for schema in ("main", "lake"):
        rows = ask(lake.root, f"FROM {schema}.insights_hourly SELECT count(*), count(reach)")
        assert rows == [(6, 0)]
    lake = Lake(lake.root, catalog=catalog)
    assert lake.read("insights_hourly")["reach"].null_count == 6

    replace(days, lake=lake).put()
    publish(lake.root, catalog=catalog)
    for schema in ("main", "lake"):
        rows = ask(
            lake.root, f"FROM {schema}.insights_hourly SELECT count(*), typeof(any_value(reach))"
        )
        assert rows == [(12, "BIGINT")]


def test_a_column_taken_from_the_catalogue_leaves_older_files_readable(
    days: Any, lake: Lake
) -> None:
    before = younger(Column("reach", "count", "Accounts that saw it"))
    replace(days, lake=Lake(lake.root, catalog=before)).put()
    after = younger(Column("mood", "text", "How it felt"))  # in the place of `reach`
    lake = Lake(lake.root, catalog=after)
    replace(days, lake=lake).put(account="12")
    publish(lake.root, catalog=after)

    for schema in ("main", "lake"):
        rows = ask(lake.root, f"FROM {schema}.insights_hourly SELECT count(*), sum(clicks)")
        assert rows == [(12, 20)]
        with pytest.raises(WarehouseError, match="reach"):
            ask(lake.root, f"FROM {schema}.insights_hourly SELECT reach")
    assert lake.read("insights_hourly").num_rows == 12


def test_a_window_added_to_a_list_is_null_in_older_files(days: Any, lake: Lake) -> None:
    days.put()
    publish(lake.root)
    catalog = younger(Column("actions", "actions", "Actions", windows=("1d_view",)))
    publish(lake.root, catalog=catalog)
    lake = Lake(lake.root, catalog=catalog)

    entry = {"action_type": "like", "value": Decimal(4), "1d_view": None}
    assert ask(lake.root, "FROM insights_hourly SELECT actions[1] WHERE clicks = 4") == [(entry,)]
    assert entry in [a for r in lake.read("insights_hourly")["actions"].to_pylist() for a in r]


def test_a_changed_kind_is_refused_with_what_to_do_and_the_old_file_stays(
    days: Any, lake: Lake
) -> None:
    days.put()
    publish(lake.root)
    catalog = younger(Column("clicks", "money", "Clicks"))
    lake = Lake(lake.root, catalog=catalog)

    with pytest.raises(ChangedKindError, match=r"insights_hourly\.clicks is decimal.* new name"):
        publish(lake.root, catalog=catalog)
    with pytest.raises(ChangedKindError, match="reload the account-days"):
        lake.read("insights_hourly")
    assert ask(lake.root, "FROM insights_hourly SELECT sum(clicks)") == [(10,)]

    # with the new kind
    replace(days, lake=lake).put(loaded_at=datetime(2026, 11, 23, tzinfo=UTC))
    publish(lake.root, catalog=catalog)
    assert ask(lake.root, "FROM insights_hourly SELECT sum(clicks)") == [(Decimal(10),)]
