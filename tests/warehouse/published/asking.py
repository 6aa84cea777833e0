"""What a reader sees: a query, the snapshots of a lake, a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import warehouse

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.lake.partitions import Lake


def python(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  our own code
        [sys.executable, "-uc", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def ask(url: Path, query: str) -> list[Any]:
    with warehouse.open(url) as opened:
        return opened.sql(query).fetchall()


def snapshots(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.root / ".snapshots").glob("[!.]*"))
