"""The stores that a lake can be in: a folder, and three kinds of buckets on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.azure import Azure, serving_azure
from tests.google import serving_google
from warehouse.storage.bucket import Bucket
from warehouse.storage.local import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.storage.store import Store


@pytest.fixture
def bucket(s3: S3, tmp_path: Path) -> Bucket:
    return Bucket(s3.new_bucket(), "the/lake", tmp_path / "here")


@pytest.fixture(scope="session")
def azure_server() -> Iterator[Azure]:
    with serving_azure() as server:
        yield server


@pytest.fixture(scope="session")
def google_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[S3, Mapping[str, str]]]:
    with serving_google(tmp_path_factory.mktemp("google")) as served:
        yield served


@pytest.fixture
def azure(azure_server: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    for name, value in azure_server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path / "here"))
    return Bucket(azure_server.new_container(), "the/lake", tmp_path / "here", "az")


@pytest.fixture
def google(
    google_server: tuple[S3, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Bucket:
    server, environ = google_server
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path / "here"))
    return Bucket(server.new_bucket(), "the/lake", tmp_path / "here", "gs")


@pytest.fixture(params=["folder", "bucket", "google", "azure"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Folder(tmp_path / "the lake")
    found: Bucket = request.getfixturevalue(request.param)
    return found
