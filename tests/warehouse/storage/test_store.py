"""Every store, a folder or a bucket: what is put is read, replaced whole, and never lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.storage.bucket import FOOTER_BYTES, MEMORY_BYTES, Bucket
from warehouse.storage.local import Folder
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.storage.store import Store

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


# -- each ------------------------------------------------------------------------------------------
def test_what_is_put_is_read_listed_and_deleted(store: Store, put: Callable[..., None]) -> None:
    put(KEY, b"first")
    put(KEY, b"second")
    store.note(".runs/t/1/a.json", "{}")

    assert (store.read(KEY), store.read(".runs/t/1/a.json")) == (b"second", b"{}")
    assert [found.key for found in store.find("ads/account_id=*/data.parquet")] == [KEY]
    store.delete(KEY)
    store.delete(KEY)
    assert store.find("ads/account_id=*/data.parquet") == []


def test_stamps_are_those_of_a_listing(store: Store, put: Callable[..., None]) -> None:
    keys = [f"t/account_id=1{n // 2}/date=2026-11-2{n}/data.parquet" for n in range(4)]
    for key in keys:
        put(key, key.encode())

    asked = [*keys[1:], "t/account_id=19/date=2026-11-21/data.parquet"]
    found = store.find("t/*/*/data.parquet")
    assert store.stamps(asked) == {one.key: one.stamp for one in found[1:]}
    assert store.stamps([]) == {}


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
    pieces = store.scan_folders("ads/account_id=*/data.parquet")
    assert [[one.key for one in piece.files] for piece in pieces if piece.files] == [
        [key] for key in there[:3]
    ]


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
from warehouse.storage.local import Folder
from warehouse.storage.url import open_store

class Written(type(Path())):
    def open(self, mode):
        if sys.argv[3] == "before": os.kill(os.getpid(), signal.SIGKILL)
        return super().open(mode)
    def replace(self, target): os.kill(os.getpid(), signal.SIGKILL)

written = Written(sys.argv[2])
Path(sys.argv[2]).write_bytes(bytes(20_000_000))
open_store(sys.argv[1]).replace("ads/account_id=11/data.parquet", lambda: written)
"""


@pytest.mark.parametrize("moment", ["before", "midway"])
def test_a_writer_that_is_killed_leaves_the_old_file_and_nothing_else(
    store: Store, put: Callable[..., None], tmp_path: Path, moment: str, request: Any
) -> None:
    put(KEY, b"first")
    server = request.getfixturevalue("s3") if store.name().startswith("s3") else None
    if not (server or isinstance(store, Folder) or moment == "before"):
        pytest.skip("only the S3 server of the tests stops midway")
    command = [sys.executable, "-c", WRITER, store.name(), str(tmp_path / "written"), moment]

    with subprocess.Popen(command) as writer:  # noqa: S603  our own code
        if server and moment == "midway":
            server.midway = lambda: writer.send_signal(signal.SIGKILL)
        assert writer.wait(timeout=120) == -signal.SIGKILL

    assert store.read(KEY) == b"first"
    assert [found.key for found in store.find("ads/*/*")] == [KEY]
    if server:
        name = store.name().removeprefix("s3://")
        assert server.asked.count(("PUT", f"/{name}/{KEY}")) == 1 + (moment == "midway")
        assert server.uploads(name.split("/")[0]) == []


def test_a_url_says_where_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path))

    urls = ["s3://my.bucket", "s3://my.bucket/a/b/", "gs://my.bucket", "az://box/a", str(tmp_path)]
    stores = [open_store(url) for url in urls]

    assert [store.name("ads/x") for store in stores] == [
        "s3://my.bucket/ads/x",
        "s3://my.bucket/a/b/ads/x",
        "gs://my.bucket/ads/x",
        "az://box/a/ads/x",
        str(tmp_path / "ads/x"),
    ]
    assert [store.root for store in stores] == [
        tmp_path / "s3/my.bucket",
        tmp_path / "s3/my.bucket/a/b",
        tmp_path / "gs/my.bucket",
        tmp_path / "az/box/a",
        tmp_path,
    ]


def test_a_folder_of_the_lake_may_be_on_another_disk(tmp_path: Path) -> None:
    """As `media/` may, which grows by itself."""
    memory = Path("/dev", "shm")
    other = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    if other.stat().st_dev == tmp_path.stat().st_dev:
        other.rmdir()
        pytest.skip("there is one disk")
    try:
        (tmp_path / "media").symlink_to(other)
        store = Folder(tmp_path)
        for content in (b"first", b"second"):
            written = tmp_path / "written"
            written.write_bytes(content)
            store.replace("media/0a/picture.jpg", lambda: tmp_path / "written")

            assert (store.read("media/0a/picture.jpg"), written.exists()) == (content, False)
        assert [path.name for path in (other / "0a").iterdir()] == ["picture.jpg"]
    finally:
        shutil.rmtree(other)
