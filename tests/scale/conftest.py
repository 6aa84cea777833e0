"""Servers that all tests of a session share. Elsewhere than in `make test-scale` nothing runs."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import sqlalchemy

from tests.scale import services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Set once the servers are installed.
IS_ASKED_FOR: Final = "SCALE" in os.environ

HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not IS_ASKED_FOR and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs Postgres and Redis: make test-scale"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with services.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[[], str]:
    """Make a database; its address. An instance of Dagster has one of its own."""
    numbers = count()

    def make() -> str:
        name = f"dagster_{next(numbers)}"
        engine = sqlalchemy.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{postgres_server.rpartition('/')[0]}/{name}"

    return make
