"""The two stores that a lake can be in: a folder, and a bucket of a server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from warehouse.storage.local import Folder
from warehouse.storage.s3 import Bucket

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.storage.store import Store


@pytest.fixture
def bucket(s3: S3, tmp_path: Path) -> Bucket:
    return Bucket(s3.new_bucket(), "the/lake", tmp_path / "here")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Folder(tmp_path / "the lake")
    found: Bucket = request.getfixturevalue("bucket")
    return found
