"""Versions of the Marketing API: when each was released, and until when Meta serves it.

`versions.csv` has a line for each, oldest first. No clock is read here: the day is an argument, so
that the sandbox decides by its own clock and a test by any.

Sources: Marketing API, Version history and Versioning; Graph API, Platform versioning.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "PINNED",
    "READ_ON",
    "VERSIONS",
    "Version",
    "living",
    "newest",
    "next_living",
    "number",
    "supported",
    "version_of",
    "why_not",
]

#: The version that is requested unless another is set: the newest one that was tried, which need
#: not be the newest that exists.
PINNED: Final = "v26.0"

#: The day on which the tables were last compared with Meta's pages.
READ_ON: Final = date(2026, 11, 29)


@dataclass(frozen=True, slots=True)
class Version:
    """One version. Its ends are the days on which it stops being served, None if not announced.

    `ads_end` is that of ads endpoints; everything else is served longer, until `graph_end`.
    """

    name: str
    released: date
    ads_end: date | None
    graph_end: date | None
    source: str

    def serves_ads(self, on: date) -> bool:
        return self.released <= on and (self.ads_end is None or on < self.ads_end)

    def serves_graph(self, on: date) -> bool:
        """Whether it serves what is not an ads endpoint, such as ``me``."""
        return self.released <= on and (self.graph_end is None or on < self.graph_end)


def _read() -> Sequence[Version]:
    text = files(__package__).joinpath("versions.csv").read_text(encoding="utf-8")
    return tuple(
        Version(
            row["version"],
            date.fromisoformat(row["released"]),
            _day(row["ads_end"]),
            _day(row["graph_end"]),
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


#: Every version of the table, oldest first.
VERSIONS: Final = _read()


def version_of(name: str) -> Version | None:
    """The version of a name such as ``v26.0``; None where the table does not have it."""
    return next((version for version in VERSIONS if version.name == name), None)


def living(on: date) -> Sequence[str]:
    """The versions that serve ads endpoints on a day, oldest first."""
    return [version.name for version in VERSIONS if version.serves_ads(on)]


def newest(on: date) -> str:
    """The newest version on a day; before all of the table, its first one."""
    return max((v for v in VERSIONS if v.released <= on), default=VERSIONS[0], key=_released).name


def _released(version: Version) -> date:
    return version.released


def next_living(name: str, on: date) -> str:
    """The version to which Meta upgrades requests of an ended one: the oldest supported newer one.

    Source: Versioning, auto-upgrade ("the next available version").
    """
    newer = (other for other in living(on) if number(other) > number(name))
    return next(newer, newest(on))


def number(name: str) -> tuple[int, int]:
    """A version's name for comparing: ``v26.0`` is (26, 0). Raises ValueError for another text."""
    found = re.fullmatch(r"v(\d{1,3})\.(\d{1,3})", name, re.ASCII)
    if found is None:
        raise ValueError(name)
    return int(found[1]), int(found[2])


def supported(on: date) -> str:
    """The versions that can be set, and until when, for people: it stays true after that day."""
    rows = [version for version in VERSIONS if version.serves_ads(on)]
    *most, last = (f"{v.name} (until {v.ads_end})" if v.ads_end else v.name for v in rows)
    return f"{', '.join(most)} or {last}" if most else last


def why_not(name: str, on: date) -> str:
    """Why a version must not be requested on a day, and what to set instead; empty if it may be.

    On the day of its end Meta still serves it for some hours, so the day after is the first one on
    which it is refused here.
    """
    version = version_of(name)
    if version is not None and (version.ads_end is None or on <= version.ads_end):
        return ""
    advice = f"Set FB_API_VERSION to {supported(on)}."
    if version is not None:
        return f"Meta ended API version {name} on {version.ads_end}. {advice}"
    if number(name) < number(VERSIONS[0].name):
        return f"Meta ended API version {name} years ago. {advice}"
    if number(name) > number(VERSIONS[-1].name):
        advice = f"Upgrade fbinsights, or set FB_API_VERSION to {supported(on)}."
    return f"fbinsights does not know API version {name}. {advice}"
