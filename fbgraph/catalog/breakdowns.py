"""Breakdowns that Meta supports, refuses or has retired: rows with their source and date.

`breakdowns.csv` has a line for each breakdown and action breakdown, `combinations.csv` one for each
set of breakdowns about which something is known. What we request, what the sandbox returns and what
docs/reports.md shows are read from the same lines. No decision is made here: a finding becomes a
line, with where it was found and when.

Sources: Marketing API v26.0, Breakdowns and Insights reference (2026-09); Out-of-cycle changes of
2025 and 2026; facebook-business 26.0.3; responses that were recorded or are described in public.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = [
    "ACTIONS_TOGETHER",
    "ACTION_BREAKDOWNS",
    "BREAKDOWNS",
    "BREAKDOWN_STATUSES",
    "COMBINATIONS",
    "FEATURES",
    "FEATURES_PAGE",
    "FEATURE_SETTINGS",
    "FEATURE_SETTINGS_EDGE",
    "HOURLY",
    "HOURLY_AUDIENCE",
    "HOURLY_PARTNERS",
    "ONLY_NONE",
    "Breakdown",
    "Combination",
    "action_breakdowns",
    "breakdowns",
    "combination",
    "combinations",
    "rows_of",
]

#: The breakdown by hour of the ad account's own wall clock.
HOURLY: Final = "hourly_stats_aggregated_by_advertiser_time_zone"

#: The same by each viewer's own clock: its values are not instants.
HOURLY_AUDIENCE: Final = "hourly_stats_aggregated_by_audience_time_zone"

#: What an hourly breakdown, and each that Meta's page marks with a star, may be combined with.
HOURLY_PARTNERS: Final = frozenset({"action_type", "action_target_id", "action_destination"})

#: In the column `action_breakdowns`: not even the implicit action_type, only an empty list.
ONLY_NONE: Final = "[]"

#: `status` → what it means.
BREAKDOWN_STATUSES: Final[Mapping[str, str]] = {
    "works": "documented by Meta, and seen in a response",
    "documented": "documented by Meta, not seen in a response",
    "seen": "seen in a response, not documented by Meta",
    "undocumented": "listed by Meta, neither described nor seen",
    "export": "returned only as a file, which fbinsights does not read",
    "refused": "refused by Meta",
    "retired": "once returned, refused now",
}

#: Short forms of several names in the column `action_breakdowns`.
_SETS: Final[Mapping[str, frozenset[str]]] = {
    "*": HOURLY_PARTNERS,
    "device": frozenset({"action_device"}),
    "carousel": frozenset({"action_carousel_card_id", "action_carousel_card_name"}),
}

#: Action breakdowns, next to action_type, that are documented or loaded together without a
#: breakdown. Source: Insights API, Breakdowns, 2026-09; airbyte's predefined streams.
ACTIONS_TOGETHER: Final = frozenset(
    {_SETS["carousel"], frozenset({"action_target_id", "action_destination"})}
)

#: Where an account's opt-in features are read and enabled. Source: Feature Settings API,
#: 2026-09-19; enabling one cannot be undone and takes up to 24 hours.
FEATURE_SETTINGS_EDGE: Final = "insights/feature-settings"
FEATURE_SETTINGS: Final = f"act_<id>/{FEATURE_SETTINGS_EDGE}"

#: What a person reads who wants to enable one.
FEATURES_PAGE: Final = (
    "https://developers.facebook.com/documentation/ads-commerce/marketing-api/insights/"
    "feature-settings"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What a line of either table says. `action_breakdowns`: what may be next to it."""

    action_breakdowns: str
    note: str

    @property
    def partners(self) -> frozenset[str]:
        """The action breakdowns that may be next to it, without short forms."""
        words = self.action_breakdowns.split()
        return frozenset().union(*(_SETS.get(word, {word}) for word in words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown(_Finding):
    """One value of `breakdowns` (kind ``row``) or `action_breakdowns` (kind ``action``).

    `status`: a key of `BREAKDOWN_STATUSES`. `seen`: the day or month of the finding, which is that
    of the removal for what is retired.
    `wire`: text, object, flag (text, number or boolean), json (whatever comes). `feature`: what an
    account must enable first. `from_level`: the coarsest level that has it. `fields`: patterns of
    the metrics that exist under it, with ``!`` of those that do not; empty for all.
    """

    name: str
    kind: str
    wire: str
    status: str
    feature: str
    from_level: str
    fields: str
    source: str
    seen: str

    @property
    def evidence(self) -> str:
        """Where its status comes from, and when."""
        return f"{self.source}, {self.seen}"

    def gives(self, field: str) -> bool:
        """Whether Meta returns a metric under this breakdown."""
        patterns = self.fields.split()
        barred = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
        given = [pattern for pattern in patterns if not pattern.startswith("!")]
        return not _fits(field, barred) and (not given or _fits(field, given))

    @property
    def is_limited(self) -> bool:
        """Whether only a few metrics exist under it."""
        return any(not pattern.startswith("!") for pattern in self.fields.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination(_Finding):
    """What is known about breakdowns that are requested together, or about a single one.
    `pattern` is the line's own short form of them, such as ``*_asset age``. Where and when, or "":
    Meta `documented` it, a response with it was `seen`, it was `refused`.
    """

    breakdowns: frozenset[str]
    pattern: str
    documented: str
    seen: str
    refused: str

    @property
    def status(self) -> str:
        """A key of `BREAKDOWN_STATUSES`. A refusal counts more than what is documented."""
        if self.refused:
            return "refused"
        if self.seen:
            return "works" if self.documented else "seen"
        return "documented"

    @property
    def evidence(self) -> str:
        """Where its status comes from, and when."""
        return self.refused or "; ".join(filter(None, (self.documented, self.seen)))


def _fits(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def rows_of(name: str) -> Sequence[dict[str, str]]:
    """The lines of a CSV file next to this module."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _kind(kind: str) -> Mapping[str, Breakdown]:
    rows = (row for row in rows_of("breakdowns.csv") if row["kind"] == kind)
    return {row["name"]: Breakdown(**row) for row in rows}


def breakdowns() -> Mapping[str, Breakdown]:
    """Every value of `breakdowns`, by name."""
    return _kind("row")


def action_breakdowns() -> Mapping[str, Breakdown]:
    """Every value of `action_breakdowns`, by name."""
    return _kind("action")


@cache
def combinations() -> Mapping[frozenset[str], Combination]:
    """Every set of breakdowns about which something is known."""
    found = {}
    for row in rows_of("combinations.csv"):
        pattern = row.pop("breakdowns")
        names = [
            [name for name in BREAKDOWNS if fnmatchcase(name, part)] for part in pattern.split()
        ]
        for one in map(frozenset, product(*names)):
            if len(one) == len(names):
                found[one] = Combination(breakdowns=one, pattern=pattern, **row)
    return found


def combination(names: Collection[str]) -> Combination | None:
    """What is known about these breakdowns together; about a single one only if noteworthy."""
    return combinations().get(frozenset(names))


#: Values of `breakdowns` and of `action_breakdowns`.
BREAKDOWNS: Final = frozenset(breakdowns())
ACTION_BREAKDOWNS: Final = frozenset(action_breakdowns())

#: What each account must enable first, or the breakdowns that need it are empty.
FEATURES: Final = frozenset(row.feature for row in breakdowns().values()) - {""}

#: Breakdowns that Meta returns together.
COMBINATIONS: Final = frozenset(
    names for names, known in combinations().items() if len(names) > 1 and known.status != "refused"
)
