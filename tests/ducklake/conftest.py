"""Lakes, and DuckLakes that they are published to, in catalogues of a file, of SQLite and Postgres.

Elsewhere than in `make test-ducklake` nothing of this folder runs: the extension has no package for
the DuckDB that is pinned.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest

from tests.warehouse.conftest import Days
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake
from warehouse.published.ducklake.attaching import attach
from warehouse.published.ducklake.destination import Destination, destination_of
from warehouse.published.publish import publish, require_carried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).parent


def why_not() -> str:
    """Why there is no DuckLake here; "" if there is one."""
    somewhere = Destination("ducklake::memory:", HERE)
    with closing(duckdb.connect(config={"autoinstall_known_extensions": "false"})) as connection:
        try:
            attach(connection, somewhere, "tried")
        except WarehouseError as error:
            return str(error)
        except duckdb.Error:
            return ""  # there is the extension, and no catalogue of that name
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    if ours and (why := why_not()):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=f"make test-ducklake has it: {why}"))


@dataclass(frozen=True)
class Company:
    """A lake, and a destination that it is published to."""

    days: Days
    address: str  # with {folder} in place of its own
    folder: Path
    options: str = ""

    @property
    def text(self) -> str:
        address = self.address.format(folder=self.folder)
        return f"{address}?data_path={self.folder}/files{self.options}"

    @property
    def destination(self) -> Destination:
        found = destination_of(self.text)
        assert found
        return found

    def publish(self, *, afresh: bool = False) -> None:
        done = publish(
            self.days.lake.root, destination=self.destination, afresh=afresh, sleep=lambda _: None
        )
        require_carried(done.not_carried)

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """What any other user of the DuckLake has."""
        with closing(duckdb.connect()) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            attach(connection, self.destination, "company")
            yield connection

    def files(self, table: str = "*") -> Sequence[str]:
        """The files of rows, also those that nothing names."""
        return sorted(map(str, (self.folder / "files").glob(f"*/{table}/*.parquet")))

    def ask(self, query: str) -> Sequence[Any]:
        with self.opened() as opened:
            return opened.execute(query).fetchall()


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(Days(Lake(tmp_path / "lake")), "ducklake:sqlite:{folder}/catalogue", tmp_path)
