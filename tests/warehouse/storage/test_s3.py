"""A bucket alone: uploads in parts, and what is said when it cannot be reached or trusted."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.s3 import SECRET, serving
from warehouse.errors import BucketError, WarehouseError
from warehouse.published.publish import LINK
from warehouse.storage.s3 import Bucket

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3


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
