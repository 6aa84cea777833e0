"""The reports of this checkout, as a program reads them at its top."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pipelines.reports.catalog import reports_of

if TYPE_CHECKING:
    from pipelines.reports.catalog import Report, Reports

__all__ = ["FOLDER", "KNOWN", "only"]

#: The examples of this checkout, wherever a test works.
FOLDER: Final = str(Path(__file__).resolve().parents[1] / "reports")

#: What is built in, and those examples.
KNOWN: Final = reports_of({"FB_REPORTS": FOLDER})


def only(*reports: Report) -> Reports:
    """These reports, as if there were no other."""
    return replace(KNOWN, by_name=MappingProxyType({one.name: one for one in reports}))
