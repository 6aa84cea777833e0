"""Azure's Blob Storage on loopback: Azurite, Microsoft's own emulator, a package of node.

`make test-buckets` installs it; without it these tests are skipped, and fail where BUCKETS is set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Azure", "serving_azure"]

AZURITE: Final = Path(__file__).parents[1] / ".venv/azurite/node_modules/.bin/azurite-blob"

#: Of the emulator, for everybody. Source: Microsoft, "Use the Azurite emulator".
ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
VERSION: Final = "2021-08-06"


@dataclass(frozen=True)
class Azure:
    """A server that runs, and the environment that points at it."""

    url: str

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": self.url,
            "AWS_MAX_ATTEMPTS": "1",
        }

    def new_container(self) -> str:
        name, now = f"container-{uuid4().hex[:12]}", datetime.now(UTC)
        at = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        signed = (
            f"PUT{chr(10) * 12}x-ms-date:{at}\nx-ms-version:{VERSION}\n"
            f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        )
        proof = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
        httpx.put(
            f"{self.url}/{ACCOUNT}/{name}?restype=container",
            headers={
                "x-ms-date": at,
                "x-ms-version": VERSION,
                "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(proof).decode()}",
            },
        ).raise_for_status()
        return name


@contextmanager
def serving_azure() -> Iterator[Azure]:
    """Serve it while the block runs."""
    if not AZURITE.exists():
        if os.environ.get("BUCKETS"):
            pytest.fail("Azurite is not installed: run `make test-buckets`")
        pytest.skip("needs Azurite: `make test-buckets` installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    command = [str(AZURITE), *options, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  our own words
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield Azure(f"http://127.0.0.1:{port}")
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
