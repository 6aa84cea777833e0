"""The ready reports of `fbinsights add`: each YAML file in `ready` is one, named after its report.
Its `description` says what it answers, the comment above it what it costs and what proves it. Its
line in `about.csv` says the same in words for a list, and who ships it elsewhere; the SQL file of
its name is a query to begin with. `render_presets` makes docs/presets.md of all of it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pipelines.errors import ConfigError
from pipelines.reports.files import read_files
from pipelines.reports.folders import READY
from warehouse.schema.periods import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.reports.spec import ReportSpec

__all__ = ["PROOFS", "ReadyReport", "chosen", "ready_reports"]

#: `proven` of a ready report → what that means.
PROOFS: Final[Mapping[str, str]] = {
    "all": "impressions, clicks, spend and actions add up to Meta's totals",
    "sums": "impressions, clicks and spend add up; actions do not, because Meta leaves some out, or"
    " are not requested",
    "no": "nothing adds up; its days are `unprovable`, with the reason",
}

#: May be left out where a ready report is named.
_PREFIX: Final = "insights_"


@dataclass(frozen=True, slots=True)
class ReadyReport:
    """`answers`: one line. `costs`: what its comment says. `text`: the file. `query`: SQL to begin
    with. From `about.csv`: `group`; `rows` to expect for each object of its level and day, in
    words; `proven`, a key of `PROOFS`; `limits` at Meta; `elsewhere`: who ships it, as of 2026-11.
    """

    spec: ReportSpec
    costs: str
    text: str
    query: str
    group: str
    rows: str
    proven: str
    limits: str
    elsewhere: str

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def per(self) -> str:
        """What has a row, or several: an object of a level on a day, in a week, in a month."""
        is_daily = self.spec.period == Period.DAY
        return self.spec.level if is_daily else f"{self.spec.level} and {self.spec.period}"

    @property
    def answers(self) -> str:
        return self.spec.description


def ready_reports() -> Mapping[str, ReadyReport]:
    """Name → ready report, in the order of `about.csv`, which has them by group."""
    text = (READY / "about.csv").read_text(encoding="utf-8")
    rows = {row.pop("name"): row for row in csv.DictReader(text.splitlines())}
    return {name: _read(name, row) for name, row in rows.items()}


def _read(name: str, about: Mapping[str, str]) -> ReadyReport:
    path = READY / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    spec = read_files([path]).specs[name]
    comment = re.findall(r"^# ?(.*)$", text.partition("type:")[0], re.MULTILINE)
    query = path.with_suffix(".sql").read_text(encoding="utf-8")
    return ReadyReport(spec, " ".join(comment), text, query, **about)


def chosen(name: str, known: Mapping[str, ReadyReport]) -> ReadyReport:
    """The ready report of a name, with or without `insights_`. Raises ConfigError, with similar
    names, if none has it.
    """
    for written in (name, f"{_PREFIX}{name}"):
        if written in known:
            return known[written]
    plain = {one.removeprefix(_PREFIX): one for one in known}
    asked = name.lower().removeprefix(_PREFIX)
    words = [one for one in plain if asked in one.split("_")]  # age is not meant by image
    parts = [one for one in plain if asked and asked in one]
    near = words or parts or get_close_matches(asked, plain)
    meant = f" Did you mean {' or '.join(plain[one] for one in near)}?" if near else ""
    raise ConfigError(
        f"There is no ready report {name!r}.{meant} `fbinsights add` lists all of them."
    )
