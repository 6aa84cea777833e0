"""What a lake asks of the place where its files lie: a folder and a bucket both keep to it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from tests.s3 import SECRET, serving
from warehouse.errors import BucketError, KeepsProvenError, UnwritableError, WarehouseError
from warehouse.lake.parquet import Writer
from warehouse.lake.partitions import Lake
from warehouse.published.publish import LINK, publish
from warehouse.schema.tables import TABLES
from warehouse.storage.s3 import FOOTER_BYTES, MEMORY_BYTES, Bucket, log_how_published
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.s3 import S3
    from warehouse.storage.store import Store

DAY = date(2026, 11, 21)
KEY = "ads/account_id=11/data.parquet"


@pytest.fixture
def put(store: Store, tmp_path: Path) -> Callable[..., None]:
    return putter(store, tmp_path)


def putter(store: Store, folder: Path) -> Callable[..., None]:
    numbers = count()

    def putting(key: str, content: bytes) -> None:
        written = folder / f"written-{next(numbers)}"
        written.write_bytes(content)
        store.replace(key, lambda: written)
        assert not written.exists()

    return putting


def parquet_of(rows: int, *, plain: bool = False) -> bytes:
    sink = pa.BufferOutputStream()
    options = {"compression": "none", "use_dictionary": False} if plain else {}
    pq.write_table(pa.table({"n": range(rows)}), sink, **options)
    written: bytes = sink.getvalue().to_pybytes()
    return written


# -- both ------------------------------------------------------------------------------------------


def test_what_is_put_is_read_listed_and_deleted(store: Store, put: Callable[..., None]) -> None:
    put(KEY, b"first")
    put(KEY, b"second")
    store.note(".runs/t/1/a.json", "{}")

    assert (store.read(KEY), store.read(".runs/t/1/a.json")) == (b"second", b"{}")
    assert [found.key for found in store.find("ads/account_id=*/data.parquet")] == [KEY]
    store.delete(KEY)
    store.delete(KEY)
    assert store.find("ads/account_id=*/data.parquet") == []


def test_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.read(KEY)
    with pytest.raises(FileNotFoundError):
        pq.ParquetFile(store.open(KEY))
    with pytest.raises(FileNotFoundError):
        pq.ParquetFile(store.open(KEY, footer_only=True))


def test_a_pattern_finds_what_it_says_by_key_and_nothing_else(
    store: Store, put: Callable[..., None]
) -> None:
    there = [
        *("ads/account_id=1/data.parquet", "ads/account_id=11/data.parquet"),
        *("ads/account_id=2/data.parquet", "ads/account_id=2/deeper/data.parquet"),
        *(
            "ads/data.parquet",
            "ads_history/account_id=1/data.parquet",
            ".failed/t/1/2026-11-21.json",
        ),
    ]
    for key in there:
        put(key, b"x")

    def keys(pattern: str) -> list[str]:
        return [found.key for found in store.find(pattern)]

    assert keys("ads/account_id=*/data.parquet") == there[:3]
    assert keys("ads/account_id=1/*") == there[:1]
    assert keys("ads/data.parquet") == ["ads/data.parquet"]
    assert keys(".failed/t/1/????-??-??.json") == there[-1:]
    assert keys("campaigns/account_id=*/data.parquet") == []


def test_a_file_that_takes_anothers_place_has_another_stamp(
    store: Store, put: Callable[..., None]
) -> None:
    put(KEY, b"first")
    [first], [again] = store.find(KEY), store.find(KEY)
    put(KEY, b"other")  # of the same size, within the same second
    [second] = store.find(KEY)

    assert first.stamp == again.stamp != second.stamp


def test_a_replacement_that_is_given_up_leaves_what_is_there(
    store: Store, put: Callable[..., None]
) -> None:
    def fails() -> Path:
        raise ValueError

    put(KEY, b"first")
    store.replace(KEY, lambda: None)
    with pytest.raises(ValueError):  # noqa: PT011  ours
        store.replace(KEY, fails)

    assert store.read(KEY) == b"first"


def test_nothing_of_anybody_elses_comes_between_what_is_read_and_what_replaces_it(
    store: Store, put: Callable[..., None], tmp_path: Path
) -> None:
    numbers = count()
    put(KEY, b"0")

    def add_one(_: int) -> None:
        def write() -> Path:
            written = tmp_path / f"sum-{next(numbers)}"
            written.write_text(str(int(store.read(KEY)) + 1))
            return written

        store.replace(KEY, write)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(20)))

    assert store.read(KEY) == b"20"


def test_readers_see_the_old_or_the_new_and_no_other(
    store: Store, put: Callable[..., None]
) -> None:
    contents = [parquet_of(rows, plain=True) for rows in (40_000, 50_000)]
    put(KEY, contents[0])
    is_done = threading.Event()
    seen: set[int] = set()

    def read() -> int:
        times = 0
        while not is_done.is_set() or not times:
            footer = pq.ParquetFile(store.open(KEY, footer_only=True)).metadata
            rows = pq.ParquetFile(store.open(KEY)).read()
            seen.update((footer.num_rows, rows.num_rows))
            assert rows["n"].to_pylist() == list(range(rows.num_rows))
            times += 1
        return times

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for n in range(10):
            put(KEY, contents[n % 2])
        is_done.set()

    assert all(reader.result() for reader in readers)
    assert seen <= {40_000, 50_000}


def test_what_was_opened_stays_as_it_was(store: Store, put: Callable[..., None]) -> None:
    large = parquet_of(MEMORY_BYTES // 8 + 1, plain=True)  # by way of the disk, from a bucket
    put(KEY, large)
    file = pq.ParquetFile(store.open(KEY))
    put(KEY, parquet_of(1))

    assert len(large) > MEMORY_BYTES
    assert file.read().num_rows == MEMORY_BYTES // 8 + 1
    assert pq.ParquetFile(store.open(KEY)).read().num_rows == 1
    if isinstance(store, Bucket):
        assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_a_footer_is_read_whatever_its_size(store: Store, put: Callable[..., None]) -> None:
    said = {"small": b"x", "large": b"x" * 2 * FOOTER_BYTES}
    for name, text in said.items():
        rows = pa.table({"n": range(100_000)}).replace_schema_metadata({"said": text})
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="none", use_dictionary=False)
        put(name, sink.getvalue().to_pybytes())

    found = {
        name: pq.ParquetFile(store.open(name, footer_only=True)).schema_arrow.metadata[b"said"]
        for name in said
    }

    assert found == said


def test_frozen_files_stay_as_they_were_and_what_is_gone_is_told(
    store: Store, put: Callable[..., None], tmp_path: Path
) -> None:
    put(KEY, b"first")
    [first] = store.find(KEY)
    frozen = tmp_path / "frozen"

    stamps = store.freeze([(KEY, frozen / "t" / "a"), ("ads/none", frozen / "t" / "b")])
    put(KEY, b"second")

    assert stamps == [first.stamp, None]
    assert (frozen / "t" / "a").read_bytes() == b"first"
    assert not (frozen / "t" / "b").exists()


def test_each_keeps_the_order(store: Store) -> None:
    assert store.each(lambda n: 2 * n, range(50)) == list(range(0, 100, 2))


def test_a_place_that_can_be_written_to_is_left_as_it_was(store: Store) -> None:
    store.require_writable()

    assert store.find("*/*") == []


WRITER = """
import os, signal, sys
from pathlib import Path
from warehouse.lake.partitions import open_store

class Dies:
    # boto3 reads a body twice for its checksums and then sends it, some of it when this dies
    def __init__(self, file): self.file, self.sent = file, 0
    def __getattr__(self, name): return getattr(self.file, name)
    def __enter__(self): return self
    def __exit__(self, *error): self.file.close()
    def read(self, size=-1):
        self.sent += 1
        if self.sent > int(sys.argv[3]): os.kill(os.getpid(), signal.SIGKILL)
        return self.file.read(min(size, 65536) if size > 0 else 65536)

class Written(type(Path())):
    def open(self, mode): return Dies(super().open(mode))
    def replace(self, target): os.kill(os.getpid(), signal.SIGKILL)

written = Written(sys.argv[2])
Path(sys.argv[2]).write_bytes(bytes(8_000_000))
open_store(sys.argv[1]).replace("ads/account_id=11/data.parquet", lambda: written)
"""


@pytest.mark.parametrize("reads", [0, 300])
def test_a_writer_that_is_killed_leaves_the_old_file_and_nothing_else(
    store: Store, put: Callable[..., None], tmp_path: Path, reads: int, s3: S3
) -> None:
    put(KEY, b"first")
    arguments = [store.name(), str(tmp_path / "written"), str(reads)]

    killed = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", WRITER, *arguments], check=False, timeout=120
    )

    assert killed.returncode == -signal.SIGKILL
    assert store.read(KEY) == b"first"
    assert [found.key for found in store.find("*/*/*")] == [KEY]
    if isinstance(store, Bucket):
        name = store.name().removeprefix("s3://")
        assert s3.asked.count(("PUT", f"/{name}/{KEY}")) == 1 + bool(reads)
        assert s3.uploads(name.split("/")[0]) == []


# -- a bucket alone --------------------------------------------------------------------------------


def test_an_upload_in_parts_is_made_once_and_what_a_killed_one_left_is_cleaned_up(
    s3: S3, tmp_path: Path
) -> None:
    name, began = s3.new_bucket(), datetime(2010, 11, 10, 20, 48, tzinfo=UTC)  # says moto
    file = tmp_path / LINK
    file.write_bytes(bytes(20_000_000))
    for key in ("lake/warehouse.duckdb", "other/warehouse.duckdb"):
        s3.client.create_multipart_upload(Bucket=name, Key=key)

    Bucket(name, "lake", tmp_path, now=lambda: began).share(LINK, file)
    young = sorted(s3.uploads(name))
    first = s3.client.head_object(Bucket=name, Key="lake/warehouse.duckdb")["LastModified"]
    Bucket(name, "lake", tmp_path, now=lambda: began + timedelta(days=2)).share(LINK, file)

    assert young == ["lake/warehouse.duckdb", "other/warehouse.duckdb"]
    assert s3.uploads(name) == ["other/warehouse.duckdb"]
    again = s3.client.head_object(Bucket=name, Key="lake/warehouse.duckdb")
    assert (again["ContentLength"], again["LastModified"]) == (20_000_000, first)


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    missing = Bucket("no-such-bucket", "lake", tmp_path)

    with pytest.raises(BucketError, match=r"s3://no-such-bucket/lake.*NoSuchBucket.*create the"):
        missing.require_writable()
    with pytest.raises(BucketError, match=r"s3://no-such-bucket/lake/ads.* create the bucket"):
        missing.find("ads/*")


def test_a_server_that_does_not_answer_is_named_with_what_to_do(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://somebody:{SECRET}@127.0.0.1:1")

    with pytest.raises(BucketError, match=r"ads/x could not be read.*AWS_ENDPOINT_URL") as refused:
        bucket.read("ads/x")

    assert SECRET not in str(refused.value)


def test_without_credentials_the_error_names_the_variables(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # another client than that of the other tests

    with pytest.raises(BucketError, match=r"Unable to locate credentials.*AWS_ACCESS_KEY_ID"):
        bucket.read("ads/x")


@pytest.mark.usefixtures("s3")
def test_a_store_that_heeds_no_conditions_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(conditions=False) as careless:
        monkeypatch.setenv("AWS_ENDPOINT_URL", careless.url)
        store = Bucket(careless.new_bucket(), "lake", tmp_path)

        with pytest.raises(WarehouseError, match="does not support conditional writes"):
            store.require_writable()

        assert store.find(".probe/*") == []


def test_no_credential_is_in_a_repr_or_in_the_log(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bucket.note("a", "b")
        with suppress(FileNotFoundError):
            bucket.read("none")

    assert SECRET not in f"{bucket!r} {vars(bucket)!r} {caplog.text}"


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
        "unchanged. Allow these credentials s3:ListBucket"
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

    def finish(self, *arguments: Any) -> Path:
        other, self.other = self.other, None
        if other:
            other()
        return super().finish(*arguments)


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
    with caplog.at_level(logging.INFO, logger="warehouse.storage.s3"):
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


def test_a_url_says_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path))

    stores = [open_store("s3://my.bucket"), open_store("s3://my.bucket/a/b/"), open_store(tmp_path)]

    assert [store.name("ads/x") for store in stores] == [
        "s3://my.bucket/ads/x",
        "s3://my.bucket/a/b/ads/x",
        str(tmp_path / "ads/x"),
    ]
    assert [store.root for store in stores] == [
        tmp_path / "s3/my.bucket",
        tmp_path / "s3/my.bucket/a/b",
        tmp_path,
    ]
