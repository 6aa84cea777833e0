"""A bucket alone: large uploads, and what is said when it cannot be reached or trusted."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.s3 import SECRET, serving
from warehouse.errors import BucketError, WarehouseError
from warehouse.published.publish import LINK
from warehouse.storage.bucket import MEMORY_BYTES, Bucket

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3


#: Seconds since 1970 of some minute.
START = 1_796_000_000


# -- a bucket alone --------------------------------------------------------------------------------
def test_the_published_file_is_uploaded_once_and_by_one_request(s3: S3, tmp_path: Path) -> None:
    name, file = s3.new_bucket(), tmp_path / LINK
    file.write_bytes(bytes(20_000_000))
    store, begun = Bucket(name, "lake", tmp_path), len(s3.asked)

    store.share(LINK, file)
    store.share(LINK, file)
    once = s3.asked[begun:].count(("PUT", f"/{name}/lake/{LINK}"))
    file.write_bytes(bytes(20_000_001))
    store.share(LINK, file)

    assert once == 1
    assert s3.client.head_object(Bucket=name, Key=f"lake/{LINK}")["ContentLength"] == 20_000_001
    assert s3.uploads(name) == []


def test_a_published_file_that_comes_soon_after_another_may_be_left_out(
    s3: S3, tmp_path: Path
) -> None:
    name, file = s3.new_bucket(), tmp_path / LINK
    store, pause = Bucket(name, "lake", tmp_path), timedelta(minutes=50)

    def is_sent(minute: int, pause: timedelta = timedelta()) -> bool:
        """Whether the file of that minute is sent."""
        file.write_bytes(b"%d" % minute)
        os.utime(file, (made := START + 60 * minute, made))
        store.share(LINK, file, pause)
        return s3.objects(name) == {f"lake/{LINK}": b"%d" % minute}

    sent = [minute for minute in range(0, 121, 15) if is_sent(minute, pause)]
    closed = is_sent(121)
    assert (sent, closed) == ([0, 60, 120], True)
    assert [is_sent(122, pause), is_sent(60, pause)] == [False, True]  # a clock that was set back


def test_what_is_too_large_for_one_request_is_uploaded_in_parts(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.storage.bucket.PUT_BYTES", 15_000_000)
    monkeypatch.setattr("warehouse.storage.bucket.PART_BYTES", 6_000_000)
    name, file = s3.new_bucket(), tmp_path / LINK
    file.write_bytes(b"0123456789" * 2_000_000)
    store, begun = Bucket(name, "lake", tmp_path), len(s3.asked)

    store.share(LINK, file)
    puts = s3.asked[begun:].count(("PUT", f"/{name}/lake/{LINK}"))
    store.share(LINK, file)

    assert puts == 4
    assert s3.asked[begun:].count(("PUT", f"/{name}/lake/{LINK}")) == 4
    assert s3.objects(name) == {f"lake/{LINK}": file.read_bytes()}


@pytest.mark.parametrize("size", [100_000, 2 * MEMORY_BYTES])
def test_an_object_that_is_cut_short_is_read_to_its_end(
    bucket: Bucket, s3: S3, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    written = tmp_path / "written"
    written.write_bytes(content := bytes(n * n % 251 for n in range(size)))
    bucket.replace("ads/x", lambda: written)
    path = f"/{bucket.name('ads/x').removeprefix('s3://')}"

    s3.cut.add(path)
    read = bucket.read("ads/x")
    s3.cut.add(path)
    frozen = bucket.freeze([("ads/x", tmp_path / "frozen")])

    assert s3.cut == set()
    assert read == content
    assert frozen == [found.stamp for found in bucket.find("ads/x")]
    assert (tmp_path / "frozen").read_bytes() == content


def test_a_writer_who_meets_another_one_tries_again(bucket: Bucket, s3: S3, tmp_path: Path) -> None:
    calls, path = [], f"/{bucket.name('ads/x').removeprefix('s3://')}"

    def write() -> Path:
        calls.append(1)
        written = tmp_path / "written"
        written.write_bytes(b"%d" % len(calls))
        return written

    for _ in range(2):  # to create it, then to replace it
        s3.conflicts.add(path)
        bucket.replace("ads/x", write)

    assert s3.conflicts == set()
    assert bucket.read("ads/x") == b"4"


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    missing = Bucket("no-such-bucket", "lake", tmp_path)

    with pytest.raises(BucketError, match=r"s3://no-such-bucket/lake.*NoSuchBucket.*Create the"):
        missing.require_writable()
    with pytest.raises(BucketError, match=r"s3://no-such-bucket/lake/ads.* Create the bucket"):
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
