"""WAREHOUSE_PUBLISH: what it may be, and what is said about what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.warehouse.published.asking import snapshots
from warehouse.errors import WarehouseError
from warehouse.published.ducklake.attaching import plain
from warehouse.published.ducklake.destination import Destination, destination_of
from warehouse.published.publish import KEPT_SNAPSHOTS, lag, publish, require_carried

if TYPE_CHECKING:
    from warehouse.lake.partitions import Lake

DATABASE = "dbname=company host=db password=secret"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (
            "ducklake:sqlite:/srv/c.sqlite?data_path=/srv/files",
            Destination("ducklake:sqlite:/srv/c.sqlite", Path("/srv/files")),
        ),
        (
            "ducklake:postgres:dbname=company host=db?data_path=/srv/my files&keep_days=90",
            Destination("ducklake:postgres:dbname=company host=db", Path("/srv/my files"), 90),
        ),
        ("ducklake:c?data_path=/f", Destination("ducklake:c", Path("/f"))),
    ],
)
def test_a_destination_is_an_address_and_its_options(
    text: str, expected: Destination | None
) -> None:
    assert destination_of(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("md:company", "has the form"),
        ("ducklake:sqlite:?data_path=/f", "has the form"),
        (f"ducklake:postgres:{DATABASE}", "has the form"),
        (f"ducklake:postgres:{DATABASE}?datapath=/f", "no option datapath"),
        (f"ducklake:postgres:{DATABASE}?data_path=s3://bucket/files", "has to be a folder"),
        (f"ducklake:postgres:{DATABASE}?data_path=/f&keep_days=0", "a number of days"),
    ],
)
def test_what_is_wrong_is_said_without_the_address(text: str, why: str) -> None:
    with pytest.raises(WarehouseError, match=why) as raised:
        destination_of(text)

    assert "secret" not in str(raised.value)


def test_while_it_cannot_be_reached_nothing_is_copied_twice_and_nothing_piles_up(
    days: Any, lake: Lake, tmp_path: Path
) -> None:
    days.put(40)
    publish(lake.root)
    gone = Destination(f"ducklake:sqlite:{tmp_path}/gone/catalogue", tmp_path / "files")
    for rows in (10, 20, 30, 40):
        days.put(rows)
        last = publish(lake.root, destination=gone)
        assert publish(lake.root, destination=gone).version == last.version

    assert len(snapshots(lake)) == KEPT_SNAPSHOTS
    assert lag(lake).is_behind  # so that whoever follows the lake tries again
    assert "is not published to the DuckLake of WAREHOUSE_PUBLISH" in str(lag(lake))
    with pytest.raises(WarehouseError, match=r"is published, but not to the DuckLake .* Fix the"):
        require_carried(last.not_carried)
    publish(lake.root)
    assert not lag(lake).is_behind


def test_neither_the_value_nor_what_duckdb_says_of_it_shows_the_password() -> None:
    destination = destination_of(f"ducklake:postgres:{DATABASE}?data_path=/f")
    assert destination

    error = duckdb.IOException(f'Unable to connect to Postgres at "{DATABASE}": no route')

    assert plain(error, destination) == 'Unable to connect to Postgres at "…": no route'
    assert "secret" not in f"{destination} {destination!r}"
