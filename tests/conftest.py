"""What tests of several packages share."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.s3 import S3


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without the garbage collector: it takes two fifths of the time that each tester needs to
    import a thousand modules, and finds nothing.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    from tests.s3 import serving  # noqa: PLC0415  # tests of fbgraph need no boto3

    with serving() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3:
    """The server, and the environment of a process that uses it."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(tmp_path / "here"))
    return s3_server
