"""WAREHOUSE_PUBLISH: what it may be, and what is said about what it may not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.errors import WarehouseError
from warehouse.published.attaching import plain
from warehouse.published.destination import Destination, destination_of

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


def test_neither_the_value_nor_what_duckdb_says_of_it_shows_the_password() -> None:
    destination = destination_of(f"ducklake:postgres:{DATABASE}?data_path=/f")
    assert destination

    error = duckdb.IOException(f'Unable to connect to Postgres at "{DATABASE}": no route')

    assert plain(error, destination) == 'Unable to connect to Postgres at "…": no route'
    assert "secret" not in f"{destination} {destination!r}"
