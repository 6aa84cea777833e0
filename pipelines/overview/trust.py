"""May these numbers be used? What is known of each account's day, and the words for it. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from pipelines.overview.wording import money
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

__all__ = [
    "BAD",
    "BadDays",
    "Banner",
    "DayTrust",
    "Recorded",
    "Trust",
    "bad_days",
    "banner",
    "trust_of",
]


class Trust(StrEnum):
    """What is known of an account's day, the best first."""

    PROVEN = "adds up"
    UNPROVABLE = "cannot be compared"
    NOT_OVER = "day not over when asked"
    DIFFERS = "does not add up"
    MISSING = "never loaded"
    FAILED = "failed"


#: What needs somebody's eye.
BAD: Final = frozenset({Trust.DIFFERS, Trust.FAILED, Trust.MISSING})


@dataclass(frozen=True, slots=True)
class DayTrust:
    """One account's day: what is known of it, why, the `command` that loads it again, and the spend
    that Meta's own total has and the rows do not (negative: the other way round; None: unknown).
    """

    date: date
    trust: Trust
    reason: str = ""
    command: str = ""
    short: Decimal | None = None


class Recorded(NamedTuple):
    """What a load, or a failure, says of an account's day."""

    verdict: str = ""
    reason: str = ""
    spend: Decimal | None = None
    control_spend: Decimal | None = None
    failed: str = ""
    command: str = ""


def trust_of(day: date, recorded: Recorded | None, reload: str) -> DayTrust:
    """What is known of a day; `reload` is the command for it where nothing else says one."""
    if recorded is None:
        return DayTrust(day, Trust.MISSING, "No load of this day has been tried or kept.", reload)
    if not recorded.verdict:
        return DayTrust(day, Trust.FAILED, recorded.failed, recorded.command or reload)
    kind = {PROVEN: Trust.PROVEN, PROVISIONAL: Trust.NOT_OVER, UNPROVEN: Trust.DIFFERS}.get(
        recorded.verdict, Trust.UNPROVABLE
    )
    short = None
    if recorded.spend is not None and recorded.control_spend is not None:
        short = recorded.control_spend - recorded.spend
    reason = recorded.reason
    if recorded.failed:
        reason = ". ".join(filter(None, (reason, f"Loading it again failed: {recorded.failed}")))
    return DayTrust(day, kind, reason, reload, short)


@dataclass(frozen=True, slots=True)
class Banner:
    """The answer to "may I use this?": a sentence, what else one should know, the worst, and
    whether nothing is missing.
    """

    headline: str
    details: Sequence[str]
    worst: Trust
    is_complete: bool = False

    @property
    def tone(self) -> str:
        """Its colour: good, doubtful or bad."""
        if self.worst in {Trust.FAILED, Trust.MISSING}:
            return "bad"
        return "good" if self.is_complete else "doubtful"


def banner(
    accounts: Iterable[tuple[str, str, Sequence[DayTrust]]], without_results: int = 0
) -> Banner:
    """In one sentence: how many of these accounts' days are complete. For each account: its name,
    currency and days. `without_results`: for how many days the purchases are not known.
    """
    accounts = list(accounts)
    counts = Counter(day.trust for _, _, days in accounts for day in days)
    number = counts.total()
    good = counts[Trust.PROVEN]
    if not number:
        return Banner("Nothing has been loaded yet.", (), Trust.MISSING)
    worst = max(counts, key=list(Trust).index)
    if good == number and not without_results:
        headline = "Every number below is complete."
        return Banner(headline, (_compared(number),), worst, is_complete=True)
    share = "All" if good == number else f"{good:,} of"
    headline = f"{share} {counted(number, 'account-day')} add up to Meta's own totals."
    details = [*_counts(counts), *_shortfall(accounts), *_unknown_results(without_results)]
    return Banner(headline, details, worst)


def _compared(number: int) -> str:
    return f"The rows of all {counted(number, 'account-day')} add up to Meta's own totals."


def _unknown_results(days: int) -> Sequence[str]:
    if not days:
        return []
    many = counted(days, "account-day")
    why = "insights_daily is not loaded for them. Each account below has the command."
    return [f"Purchases of {many} are not known: {why}"]


#: Kind → in words after a number: of one, of several.
_COUNTS: Final[Mapping[Trust, tuple[str, str]]] = {
    Trust.DIFFERS: ("does not", "do not"),
    Trust.FAILED: ("failed to load", "failed to load"),
    Trust.MISSING: ("was never loaded", "were never loaded"),
    Trust.NOT_OVER: ("was not over when it was loaded", "were not over when they were loaded"),
    Trust.UNPROVABLE: ("cannot be compared with a total", "cannot be compared with a total"),
}


def _counts(counts: Mapping[Trust, int]) -> Sequence[str]:
    parts = [f"{n:,} {words[n > 1]}" for kind, words in _COUNTS.items() if (n := counts[kind])]
    whose = "its" if sum(counts[kind] for kind in _COUNTS) == 1 else "their"
    return [f"{', '.join(parts)}; {whose} numbers are marked below."] if parts else []


def _shortfall(accounts: Sequence[tuple[str, str, Sequence[DayTrust]]]) -> Sequence[str]:
    """The spend that is known not to be in the sums, and the days for which it is not known."""
    known = [
        f"{money(abs(short), currency, exact=True)} {'too much' if short < 0 else ''}".strip()
        + f" ({name})"
        for name, currency, days in accounts
        if (
            short := sum(
                (d.short or Decimal() for d in days if d.trust is Trust.DIFFERS), Decimal()
            )
        )
    ]
    unknown = sum(d.trust in {Trust.FAILED, Trust.MISSING} for _, _, days in accounts for d in days)
    recorded = [f"Known to be missing, by Meta's own totals: {', '.join(known)}."] if known else []
    if unknown:
        recorded.append(
            f"How much is missing of {counted(unknown, 'account-day')} without data is not known."
        )
    return recorded


@dataclass(frozen=True, slots=True)
class BadDays:
    """Days of an account in a row with the same fault: what happened, why, and what to do."""

    account_id: str
    name: str
    trust: Trust
    first: date
    last: date
    reason: str
    command: str


def bad_days(account_id: str, name: str, days: Iterable[DayTrust]) -> Sequence[BadDays]:
    """Runs of neighbouring days with the same fault; `days` oldest first, without gaps."""
    found = []
    for kind, run in groupby(days, key=lambda day: day.trust):
        if kind in BAD:
            same = list(run)
            command = _over(same) if len(same) > 1 else same[0].command
            found.append(
                BadDays(
                    *(account_id, name, kind, same[0].date, same[-1].date),
                    reason=same[0].reason,
                    command=command,
                )
            )
    return found


def _over(days: Sequence[DayTrust]) -> str:
    """The command of the first day, until the last one."""
    first, last = days[0], days[-1]
    return first.command.replace(f"--until {first.date}", f"--until {last.date}")
