"""A lake in a bucket: it replaces, proves, remembers and publishes as one in a folder does."""

from __future__ import annotations

import logging
import os
import shutil
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import warehouse
from warehouse.errors import KeepsProvenError, UnwritableError
from warehouse.lake.parquet import Writer
from warehouse.lake.partitions import Lake
from warehouse.published.publish import LINK, publish
from warehouse.schema.tables import TABLES
from warehouse.storage.bucket import Bucket, log_how_published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.s3 import S3

DAY = date(2026, 11, 21)


# -- a lake in a bucket ----------------------------------------------------------------------------
@pytest.fixture
def url(s3: S3) -> str:
    return f"s3://{s3.new_bucket()}/some/where"


@pytest.fixture
def bucket_days(make_days: Callable[[Any], Any], url: str) -> Any:
    return make_days(url)


def test_a_lake_in_a_bucket_replaces_proves_and_remembers_as_in_a_folder(
    bucket_days: Any, days: Any, later: list[datetime]
) -> None:
    for one in (bucket_days, days):
        one.put()
        one.put(account="12", loaded_at=later[0])
        one.put(4, loaded_at=later[1])
        with pytest.raises(KeepsProvenError):
            one.put(3, verdict="unproven")

    there, here = bucket_days.lake, days.lake
    assert there.read("insights_hourly").equals(here.read("insights_hourly"))
    assert there.loads().equals(here.loads())
    assert there.restatements().equals(here.restatements())
    assert there.restatements().num_rows == 1
    assert {p.key: there.store.read(p.key) for p in there.partitions("insights_hourly")} == {
        p.key: here.store.read(p.key) for p in here.partitions("insights_hourly")
    }


def test_an_account_day_that_may_not_be_written_is_named_with_the_rights_that_lack(
    bucket_days: Any, url: str, s3: S3
) -> None:
    bucket_days.put()
    s3.refused.add("account_id=11")
    try:
        with pytest.raises(UnwritableError) as refused:
            bucket_days.put(40)
    finally:
        s3.refused.clear()

    key = "insights_hourly/account_id=11/date=2026-11-21/data.parquet"
    assert str(refused.value).startswith(
        "Cannot write insights_hourly of account 11 on 2026-11-21: "
        f"{url}/{key} could not be written: AccessDenied: Access Denied. The previous file is "
        "unchanged. Grant these credentials s3:ListBucket"
    )
    assert bucket_days.lake.read("insights_hourly").num_rows == 6


def test_of_two_updates_at_once_none_is_lost_in_a_bucket(url: str) -> None:
    table = TABLES["accounts"]
    lakes = [Lake(url), Lake(url)]
    calls: Iterator[int] = count()

    def add(rows: pa.Table, account_id: str) -> pa.Table:
        row = pa.Table.from_pylist([{"account_id": account_id}], schema=table.arrow_schema)
        return pa.concat_tables([rows, row])

    def slow(rows: pa.Table) -> pa.Table:
        if not next(calls):  # somebody else is faster, once
            lakes[1].update("accounts", lambda there: add(there, "2"))
        return add(rows, "1")

    after = lakes[0].update("accounts", slow)

    assert sorted(after["account_id"].to_pylist()) == ["1", "2"]
    assert sorted(lakes[1].read("accounts")["account_id"].to_pylist()) == ["1", "2"]


class Overtaken(Writer):
    """While its file is being finished, another load replaces the account-day."""

    other: Callable[[], Any] | None = None

    def finish(self, *arguments: Any, **more: Any) -> Path:
        other, self.other = self.other, None
        if other:
            other()
        return super().finish(*arguments, **more)


def test_a_load_that_is_overtaken_remembers_what_it_replaces(
    bucket_days: Any, url: str, later: list[datetime], tmp_path: Path
) -> None:
    lake, table = Lake(url), TABLES["insights_hourly"]
    rows = bucket_days.rows(4)
    load = bucket_days.load(rows, loaded_at=later[1])
    writer = Overtaken(table, tmp_path / "rows.unfinished")
    writer.write(rows.select(table.file_schema.names))
    writer.other = lambda: bucket_days.put(6, loaded_at=later[0])

    change = lake.put(table, lake.partition(table, "11", DAY), writer, load, 4)

    assert change is not None
    assert [(r["rows_before"], r["rows_after"]) for r in lake.restatements().to_pylist()] == [
        (6, 4)
    ]
    assert lake.load_of("insights_hourly", "11", DAY) == load
    assert lake.read("insights_hourly").num_rows == 4


def test_a_bucket_is_published_into_a_folder_of_this_machine_and_shared(
    bucket_days: Any, days: Any, url: str, s3: S3, caplog: pytest.LogCaptureFixture
) -> None:
    tables = ("insights_hourly", "loads", "restatements", "account_daily")
    for one in (bucket_days, days):
        one.put()
        one.put(account="12")
    log_how_published.cache_clear()
    with caplog.at_level(logging.INFO, logger="warehouse.storage.bucket"):
        published = publish(url)
        bucket_days.put(40, account="12")
        publish(url)
    days.put(40, account="12")
    publish(days.lake.root)

    with warehouse.open(url) as there, warehouse.open(days.lake.root) as here:
        for table in tables:
            query = f"FROM {table} ORDER BY ALL"
            assert there.arrow(query).equals(here.arrow(query))
        assert there.arrow("FROM duckdb_views() WHERE schema_name = 'lake'").num_rows == 0
    name = url.split("/")[2]
    assert published.path == Path(os.environ["WAREHOUSE_LOCAL"]) / f"s3/{name}/some/where/{LINK}"
    assert s3.objects(name)[f"some/where/{LINK}"] == published.path.read_bytes()
    assert caplog.text.count("httpfs") == 1


def test_a_new_machine_begins_with_the_shared_copy_and_reads_what_changed_since(
    bucket_days: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    usual = Bucket.freeze

    def freeze(bucket: Bucket, wanted: Sequence[tuple[str, Path]]) -> Any:
        copied.extend(key.split("/")[1] for key, _ in wanted)
        return usual(bucket, wanted)

    for n in range(11, 15):
        bucket_days.put(account=str(n))
    first = publish(url)
    shutil.rmtree(first.path.parent)  # what a container has, until it ends
    bucket_days.put(10, account="12")

    monkeypatch.setattr(Bucket, "freeze", freeze)
    publish(url)
    assert copied == ["account_id=12"]
    with warehouse.open(url) as opened:
        found = opened.sql(
            "FROM insights_hourly SELECT account_id, count(*) GROUP BY ALL ORDER BY 1"
        )
        assert found.fetchall() == [("11", 6), ("12", 10), ("13", 6), ("14", 6)]


def test_open_days_alone_are_not_sent_with_each_publish(bucket_days: Any, url: str, s3: S3) -> None:
    def is_sent(count: int, verdict: str, account: str = "11") -> bool:
        """Whether a publish of an account-day with so many rows sends the published file."""
        bucket_days.put(count, account=account, verdict=verdict)
        content = publish(url).path.read_bytes()
        return s3.objects(url.split("/")[2])[f"some/where/{LINK}"] == content

    assert [is_sent(6, "proven", "12"), *(is_sent(n, "provisional") for n in (7, 8))] == [
        *(True, False, False)
    ]
    assert is_sent(9, "proven")


def test_a_plain_reader_of_pyarrow_sees_a_lake_in_a_bucket(bucket_days: Any, s3: S3) -> None:
    import pyarrow.dataset as ds  # noqa: PLC0415
    from pyarrow import fs  # noqa: PLC0415

    bucket_days.put()
    files = fs.S3FileSystem(endpoint_override=s3.url, region="us-east-1")
    folder = bucket_days.lake.store.name("insights_hourly").removeprefix("s3://")

    found = ds.dataset(folder, filesystem=files, partitioning="hive").to_table()

    assert found.num_rows == 6
    assert set(found["date"].to_pylist()) == {"2026-11-21"}


def test_who_opens_a_published_bucket_again_needs_no_network(
    bucket_days: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket_days.put()
    publish(url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    with warehouse.open(url) as opened:
        assert opened.sql("FROM insights_hourly SELECT count(*)").fetchall() == [(6,)]
