"""Changes: when the lake last changed, and which state of it the published file shows.

    <lake>/.changes.json                  every writer of the lake, after each change
    <root>/.snapshots/.published.json     every publisher of this machine, at the end

Two small files say whether the published file is behind, however large the lake is and whatever
wrote to it, without listing files or a database. If a writer is killed between its change and the
note, the published file catches up with the next publish, which compares all files.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from warehouse.errors import InaccessibleError
from warehouse.storage.local import Folder
from warehouse.storage.state import load, save

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warehouse.storage.store import Store

__all__ = [
    "CHANGES",
    "Change",
    "Lag",
    "Publishing",
    "keep_publishing",
    "lag_of",
    "last_change",
    "last_publishing",
    "note_change",
]

_log = logging.getLogger(__name__)

CHANGES: Final = ".changes.json"

#: The published file follows a change within this time, where something publishes by itself.
FOLLOWS_WITHIN: Final = timedelta(minutes=1)

#: Files that the record of a publish names at most; the publish itself named them all.
MOST_LEFT_OUT: Final = 100

#: In the folder of the snapshots.
PUBLISHED: Final = ".published.json"


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of a lake: each has another `id`. An `at` of None (and an id of "") means
    that none was noted: the lake is empty, or older than these notes.
    """

    id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Publishing:
    """A finished publish: the last change it shows, when it began, how long it took, what was
    said of files that could not be published, and the stamp of the `file` that it made.
    `not_carried`: the other destination that does not show it, and why; "" if there is none.
    """

    change: str
    at: datetime
    seconds: float = 0.0
    left_out: tuple[str, ...] = ()
    file: str = ""
    not_carried: str = ""

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the published file of this machine is behind the lake."""

    change: Change
    published: Publishing | None

    @property
    def is_behind(self) -> bool:
        """Whether something has changed since it was published, to all destinations."""
        shown = self.published
        return shown is None or shown.change != self.change.id or bool(shown.not_carried)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a change nor a published file."""
        return self.published is None and not self.change.id

    def is_late(self, now: datetime) -> bool:
        """Whether it is behind by a change that is more than a minute old."""
        at = self.change.at
        return self.is_behind and not self.is_empty and (at is None or now - at > FOLLOWS_WITHIN)

    def __str__(self) -> str:
        if self.published is None:
            return "warehouse.duckdb has not been published yet"
        shows = f"warehouse.duckdb shows the lake as of {_minute(self.published.at)}"
        if self.published.not_carried:
            return f"{shows}, but it is not published to {self.published.not_carried}"
        if not self.is_behind:
            return f"{shows}; nothing has changed since"
        if self.change.at is None:
            return f"{shows}; the next publish will show whether it is up to date"
        behind = max(self.change.at - self.published.at, timedelta())
        return f"{shows}; the lake last changed {_span(behind)} later, {_minute(self.change.at)}"


def note_change(store: Store, now: datetime) -> None:
    """Note that the lake has changed. Call it after the change.

    If the note cannot be written, the change stays and a warning says what to do.
    """
    try:
        save(store, CHANGES, {"id": uuid4().hex, "at": now.isoformat()})
    except OSError as error:
        _log.warning(
            "The change was stored, but the note about it was not, so the published file may not "
            "follow by itself: %s. Run `fbinsights publish`.",
            error,
        )


def last_change(store: Store) -> Change:
    """The last change that was noted."""
    found = _parsed(store, CHANGES)
    return Change(str(found.get("id", "")), _instant(found.get("at")))


def keep_publishing(folder: Path, published: Publishing) -> None:
    """Record, in the folder of the snapshots, what was published. Only the publisher may."""
    values = {
        "change": published.change,
        "at": published.at.isoformat(),
        "seconds": round(published.seconds, 3),
        "left_out": [*published.left_out[:MOST_LEFT_OUT]],
        "file": published.file,
        "not_carried": published.not_carried,
    }
    save(Folder(folder.parent), f"{folder.name}/{PUBLISHED}", values)


def lag_of(store: Store, snapshots: Path, link: Path) -> Lag:
    """Compare the lake with the published file that `link` names. Reads two small files."""
    return Lag(last_change(store), last_publishing(snapshots) if link.exists() else None)


def last_publishing(snapshots: Path) -> Publishing:
    """The record of the last publish; a file published before records were kept has none."""
    found = _parsed(Folder(snapshots.parent), f"{snapshots.name}/{PUBLISHED}")
    at = _instant(found.get("at")) or _changed_at(snapshots)
    names, took = found.get("left_out"), found.get("seconds")
    seconds = float(took) if isinstance(took, int | float) else 0.0
    left_out = tuple(map(str, names)) if isinstance(names, list) else ()
    file = str(found.get("file") or "")
    not_carried = str(found.get("not_carried") or "")
    return Publishing(str(found.get("change", "?")), at, seconds, left_out, file, not_carried)


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _parsed(store: Store, key: str) -> Mapping[str, Any]:
    """The content of a small file; nothing if it is missing or damaged, or may not be read: the
    next that is written replaces it. Raises OSError for a store that cannot be reached.
    """
    try:
        found = load(store, key)
    except (FileNotFoundError, InaccessibleError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


#: Seconds of a unit, and its name, the largest first.
_UNITS: Final = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def _span(time: timedelta) -> str:
    """A time in the largest unit that makes it two or more."""
    seconds = int(time.total_seconds())
    size, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return f"{seconds // size} {unit}"
