"""The ready reports of `fbinsights add`: each file in `ready` is one, named after its report. Its
`description` says what it answers, the comment above it what it costs and what proves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.errors import ConfigError
from pipelines.reports.files import read_files

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["READY", "ReadyReport", "chosen", "ready_reports"]

READY: Final = Path(__file__).parent / "ready"

#: May be left out where a ready report is named.
_PREFIX: Final = "insights_"


@dataclass(frozen=True, slots=True)
class ReadyReport:
    """`answers`: one line. `costs`: what its comment says. `text`: the file."""

    name: str
    answers: str
    costs: str
    text: str


def ready_reports() -> Mapping[str, ReadyReport]:
    """Name → ready report, in the order of their names."""
    return {path.stem: _read(path) for path in sorted(READY.glob("*.yaml"))}


def _read(path: Path) -> ReadyReport:
    text = path.read_text(encoding="utf-8")
    spec = read_files([path]).specs[path.stem]
    comment = re.findall(r"^# ?(.*)$", text.partition("type:")[0], re.MULTILINE)
    return ReadyReport(spec.name, spec.description, " ".join(comment), text)


def chosen(name: str, known: Mapping[str, ReadyReport]) -> ReadyReport:
    """The ready report of a name, with or without `insights_`. Raises ConfigError, with names that
    are like it, for one that there is not.
    """
    for written in (name, f"{_PREFIX}{name}"):
        if written in known:
            return known[written]
    plain = {one.removeprefix(_PREFIX): one for one in known}
    asked = name.lower().removeprefix(_PREFIX)
    near = [one for one in plain if asked and asked in one] or get_close_matches(asked, plain)
    meant = f" Did you mean {' or '.join(plain[one] for one in near)}?" if near else ""
    raise ConfigError(
        f"There is no ready report {name!r}.{meant} `fbinsights add` lists all of them."
    )
