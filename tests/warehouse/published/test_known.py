"""Who looks at many account-days takes their records from the published file, and opens those files
of the lake that have changed since.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest

from tests.warehouse.conftest import DAY, LOADED
from warehouse.errors import DamagedFileError
from warehouse.lake.changes import keep_publishing, last_publishing
from warehouse.lake.partitions import Lake
from warehouse.lake.reading import MANY_FILES
from warehouse.published.known import KnownRecords
from warehouse.published.publish import publish
from warehouse.storage.local import stamp_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

#: As many as there have to be; most of them are not in the lake.
MANY: Final[Sequence[tuple[str, date]]] = [
    (account, DAY - timedelta(days=n)) for account in ("11", "12") for n in range(MANY_FILES // 2)
]

EVERYTHING: Final[dict[str, Any]] = {
    "reason": "impressions 5 less",
    "conversions": "unproven",
    "conversions_reason": "link_click 1 less",
    "is_over": False,
    "asked_at": LOADED - timedelta(microseconds=1),
    "last_whole_hour": 7,
    "day_gone": 1 / 3,
    "verdict": "provisional",
    "control_impressions": 2**40,
    "control_spend": Decimal("12.345678"),
    "missing_fields": ("reach", "cpm"),
    "report_run_ids": ("1", "2"),
    "seconds": 1.7,
    "api_version": "v26.0",
}


def rot(path: Path) -> None:
    """Change a file so that nothing but its content shows it: not even a stamp."""
    found = path.stat()
    path.write_bytes(b"\0" * found.st_size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def file_of(lake: Lake, account: str) -> Path:
    return lake.root / lake.key("insights_hourly", account, DAY)


def test_records_are_the_same_and_no_file_is_opened_for_them(days: Any, lake: Lake) -> None:
    days.put(account="11", **EVERYTHING)
    days.put(account="12")
    publish(lake.root)
    opened = lake.records_of("insights_hourly", MANY)
    for account in ("11", "12"):
        rot(file_of(lake, account))

    known = Lake(lake.root, known=KnownRecords(lake.root))
    assert known.records_of("insights_hourly", MANY) == opened
    assert sum(one is not None for one in opened) == 2
    assert known.load_of("insights_hourly", "11", DAY) is None  # one alone is opened


def test_what_has_changed_since_is_opened(days: Any, lake: Lake) -> None:
    for account in ("11", "12"):
        days.put(account=account)
    publish(lake.root)
    days.put(10, account="11")
    file_of(lake, "12").write_bytes(b"x")

    known = Lake(lake.root, known=KnownRecords(lake.root))
    found = dict(zip(MANY, known.records_of("insights_hourly", MANY), strict=True))
    assert found["11", DAY].rows == 10  # type: ignore[union-attr]
    assert isinstance(found["12", DAY], DamagedFileError)
    file_of(lake, "11").unlink()
    assert known.load_of("insights_hourly", "11", DAY) is None


#: What has become of a published file, in SQL.
CHANGES: Final = {
    "missing": "",
    "damaged": "",
    "edited": "UPDATE loads SET verdict = 'proven'",
    "older": "CREATE TABLE l AS FROM loads SELECT * EXCLUDE (conversions);"
    " DROP TABLE loads CASCADE; ALTER TABLE l RENAME TO loads",
}


@pytest.mark.parametrize("what", CHANGES)
def test_without_a_published_file_the_files_are_opened(days: Any, lake: Lake, what: str) -> None:
    days.put(**EVERYTHING)
    if what != "missing":
        snapshot = publish(lake.root).snapshot
        snapshot.chmod(0o644)
        if what == "damaged":
            rot(snapshot)
        with suppress(duckdb.Error), duckdb.connect(snapshot) as connection:
            connection.execute(CHANGES[what])
        if what == "older":  # an earlier version published it so
            noted = last_publishing(snapshot.parent.parent)
            keep_publishing(snapshot.parent.parent, replace(noted, file=stamp_of(snapshot)))

    known = Lake(lake.root, known=KnownRecords(lake.root))
    assert known.records_of("insights_hourly", MANY) == lake.records_of("insights_hourly", MANY)


def test_days_before_those_that_were_asked_for_first_are_known_too(days: Any, lake: Lake) -> None:
    earlier = DAY - timedelta(days=3)
    for day in (earlier, DAY):
        days.put(day=day)
    publish(lake.root)

    known = KnownRecords(lake.root)
    assert [*known("insights_hourly", [("11", DAY)])] == [("11", DAY)]
    assert [*known("insights_hourly", [("11", earlier)])] == [("11", earlier)]
    assert not known("insights_hourly", [])
