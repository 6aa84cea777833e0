"""Meta's own SDK and our client against the same sandbox, over its socket."""

from __future__ import annotations

import struct
import sys
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from facebook_business.api import FacebookAdsApi
from facebook_business.crashreporter import CrashReporter
from facebook_business.session import FacebookSession

from fbgraph.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Noon in Berlin: the day before has ended in every account's zone.
NOW = datetime(2026, 11, 23, 11, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def untouched_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK keeps its server, its token and its hook for crashes in global places."""
    monkeypatch.setattr(FacebookSession, "GRAPH", "http://127.0.0.1:9")  # none: never leave here
    monkeypatch.setattr(FacebookAdsApi, "_default_api", None)
    monkeypatch.setattr(FacebookAdsApi, "_default_account_id", None)
    monkeypatch.setattr(CrashReporter, "reporter_instance", None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def open_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes of its own for one test, with the scenarios that it names."""
    with ExitStack() as stack:

        def start(*scenarios: str, **options: Any) -> Sandbox:
            options.setdefault("now", lambda: NOW)
            return stack.enter_context(Sandbox(scenarios=scenarios, **options))

        yield start


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A PNG of 3 by 2 pixels whose bytes hold line ends."""
    path = tmp_path / "banner.png"
    path.write_bytes(png(3, 2))
    return path


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\r\n\xff" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
