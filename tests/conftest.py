"""What tests of several packages share."""

from __future__ import annotations

import gc
import subprocess
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


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A real file system of 2 MB, or of as many as it is given."""
    folder = tmp_path / "small"
    folder.mkdir()
    size = f"size={getattr(request, 'param', 2)}m"
    mounted = subprocess.run(  # noqa: S603  our own words
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)],  # noqa: S607  wherever it is
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    gc.collect()  # the error of a full disk keeps the file that could not be written
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607  as above
