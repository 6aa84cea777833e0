"""Prints failures in groups: one reason of one account is printed once, however many days and
reports it affects. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from fbgraph import act_id
from pipelines.cli.output.terminal import wrapped
from pipelines.escaping import escaped
from pipelines.loading.load_result import Target
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from warehouse.lake.defects.failures import Failed
    from warehouse.lake.defects.rejects import UnreadColumn

__all__ = [
    "FailureGroup",
    "failure_lines",
    "grouped",
    "object_lines",
    "object_values",
    "ranges",
    "time_of",
    "unread_lines",
    "unread_values",
]

#: Most groups that are printed; the others are counted.
SHOWN_GROUPS: Final = 20

#: Most tables of a group whose numbers are printed; the others are counted.
SHOWN_TABLES: Final = 3

#: Most stretches of days printed for a group; the others are counted.
SHOWN_RANGES: Final = 4

#: What differs between attempts that failed for one reason: the call, Meta's trace id, the time.
_OF_ONE_TRY: Final = re.compile(r" ?\[code [^\]]*\]| ?\((since )?[0-9-]{10} [0-9:]{8} UTC\)")
_NUMBER: Final = re.compile(r"\d[\d.,:-]*")


@dataclass(slots=True)
class FailureGroup:
    """What failed for one reason. `account` is ``act_123``, "" if the failure is not about one.
    `reasons`: that of the first target of each table. `differs`: some have other numbers.
    """

    account: str
    targets: list[Target] = field(default_factory=list)
    reasons: dict[Target, str] = field(default_factory=dict)
    differs: bool = False

    def add(self, target: Target, why: str) -> None:
        """One more."""
        self.targets.append(target)
        if not any(one.table == target.table for one in self.reasons):
            self.reasons[target] = why

    def why(self) -> str:
        """The reason; if some have other numbers, one of each table, and whose it is."""
        if not self.differs:
            return next(iter(self.reasons.values()))
        firsts = [*self.reasons.items()][:SHOWN_TABLES]
        tables: dict[tuple[date | None, str], list[str]] = {}
        for one, why in firsts:
            tables.setdefault((one.day, why), []).append(one.table)
        lines = [
            f"{' '.join(filter(None, (', '.join(of), str(day or ''))))}: {why}"
            for (day, why), of in tables.items()
        ]
        more = len(self.targets) - len(firsts)
        return "\n".join(lines) + (f" ({more} more with other numbers)" if more else "")

    def where(self) -> str:
        """Tables and days, like ``insights_hourly, insights_daily: 2026-11-24 to 2026-11-28``."""
        days_of: dict[str, list[date]] = {}
        for target in self.targets:
            days_of.setdefault(target.table, []).extend([target.day] if target.day else [])
        tables_of: dict[str, list[str]] = {}
        for table, days in days_of.items():
            tables_of.setdefault(ranges(days), []).append(table)
        spans = (
            ", ".join(tables) + (f": {days}" if days else "") for days, tables in tables_of.items()
        )
        return "; ".join(spans)


def grouped(failed: Mapping[Target, str]) -> Sequence[FailureGroup]:
    """What failed, by account and reason; both in order of first appearance."""
    groups: dict[str, dict[str, tuple[str, FailureGroup]]] = {}
    for target, why in failed.items():
        plain = _plain(target, why)
        first, group = groups.setdefault(target.account, {}).setdefault(
            _NUMBER.sub("#", plain), (plain, FailureGroup(target.account))
        )
        group.add(target, why)
        group.differs |= plain != first
    return [group for of_account in groups.values() for _, group in of_account.values()]


def _plain(target: Target, why: str) -> str:
    """A reason without what names the table, the day and the attempt."""
    plain = _OF_ONE_TRY.sub("", why)
    if target.day is None:
        return plain
    return plain.replace(target.table, "*").replace(target.day.isoformat(), "*")


def ranges(days: Collection[date]) -> str:
    """Days like ``2026-11-20, 2026-11-24 to 2026-11-28``."""
    stretches: list[list[date]] = []
    for day in sorted(set(days)):
        if stretches and day - stretches[-1][-1] == timedelta(days=1):
            stretches[-1].append(day)
        else:
            stretches.append([day])
    texts = [f"{one[0]}" if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in stretches]
    more = sum(map(len, stretches[SHOWN_RANGES:]))
    return ", ".join(
        [*texts[:SHOWN_RANGES], *([f"and {counted(more, 'more day')}"] if more else ())]
    )


def failure_lines(
    groups: Sequence[FailureGroup], names: Mapping[str, str | None], width: int | None
) -> Iterator[str]:
    """A line for each account; below it what failed, and why. `names`: ``act_123`` → its name."""
    account = None
    for group in groups[:SHOWN_GROUPS]:
        if group.account and group.account != account:
            name = escaped(names.get(group.account) or "")
            yield from wrapped(f"{group.account} {name}".rstrip(), width)
        account = group.account
        margin = "  " if account else ""
        yield from wrapped(margin + group.where(), width)
        for line in group.why().split("\n"):
            yield from wrapped(f"{margin}  {line}", width)
    if len(groups) > SHOWN_GROUPS:
        more = f"and {len(groups) - SHOWN_GROUPS} more. `fbinsights status --json` lists all days."
        yield from wrapped(more, width)


def object_lines(
    objects: Mapping[tuple[str, str], tuple[Failed, str]],
    names: Mapping[str, str | None],
    width: int | None,
) -> Iterator[str]:
    """What failed of objects and accounts, (table, account) → the failure and its command; since
    when, why, and the commands. `names`: account (digits) → its name.
    """
    why = {
        Target(table, act_id(account_id)): f"failed: {one.error} (since {time_of(one.since)})"
        for (table, account_id), (one, _) in objects.items()
    }
    by_key = {act_id(account_id): name for account_id, name in names.items()}
    for n, line in enumerate(failure_lines(grouped(why), by_key, width)):
        yield line if n else f"\n{line}"
    commands = [*dict.fromkeys(command for _, command in objects.values())]
    if commands:
        yield "\nTo list them again:"
    yield from (f"  {command}" for command in commands[:SHOWN_GROUPS])
    if more := commands[SHOWN_GROUPS:]:
        yield f"  and {len(more)} more; `fbinsights refresh` lists those of all accounts"


def object_values(of: tuple[str, str], failed: tuple[Failed, str]) -> Mapping[str, str]:
    """The same of one, for programs."""
    (table, account_id), (one, command) = of, failed
    return {
        "table": table,
        "account": act_id(account_id),
        "error": one.error,
        "since": one.since,
        "run_again": command,
    }


def unread_lines(unread: Sequence[UnreadColumn], width: int | None) -> Iterator[str]:
    """The columns of objects that have rejects: those of one table and reason together, with how
    many objects and why.
    """
    groups: dict[tuple[str, str], list[UnreadColumn]] = {}
    for one in unread:
        why = escaped(_OF_ONE_TRY.sub("", one.reason))
        groups.setdefault((one.table, why), []).append(one)
    if groups:
        yield "\nValues of objects that could not be read, or that Meta refuses (table rejects):"
    for (table, why), columns in [*groups.items()][:SHOWN_GROUPS]:
        names = ", ".join(one.column for one in columns if one.column)
        objects = counted(max(one.objects for one in columns), "object")
        accounts = counted(len({key for one in columns for key in one.accounts}), "account")
        what = f"{table}: {names} of" if names else f"{table}:"
        yield from wrapped(f"  {what} {objects} of {accounts}: {why}", width)
    if len(groups) > SHOWN_GROUPS:
        yield f"  and {len(groups) - SHOWN_GROUPS} more; `fbinsights status --json` lists all"


def unread_values(unread: UnreadColumn) -> Mapping[str, object]:
    """The same of one, for programs."""
    accounts = [act_id(one) if one.isdecimal() else one for one in unread.accounts]
    return {**asdict(unread), "accounts": accounts}


def time_of(at: str) -> str:
    """The time of a failure, to the second."""
    return f"{at[:19].replace('T', ' ')} UTC"
