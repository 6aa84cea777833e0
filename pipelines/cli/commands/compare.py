"""`fbinsights compare`: the table of another loader next to ours, by account and day."""

from __future__ import annotations

import sys
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from fbgraph import act_id
from pipelines.cli.commands.query import published_file
from pipelines.cli.exit_codes import ALL_DONE, SOME_FAILED
from pipelines.cli.output.json_lines import json_line, print_json, total_line
from pipelines.cli.output.style import FOR_PEOPLE, Style
from pipelines.cli.output.table import Digits, table_lines
from pipelines.cli.output.terminal import width_of, wrapped
from pipelines.comparing.comparison import Selection, compare
from pipelines.errors import ConfigError
from warehouse.schema.verdicts import PROVEN
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pipelines.comparing.comparison import Compared, Comparison
    from pipelines.comparing.reasons import Difference, Sums

__all__ = ["run_compare"]

#: Account-days that are printed one by one; JSON has all.
_MOST_DAYS: Final = 30

#: Account-days that a line names.
_MOST_IN_A_LINE: Final = 5

#: Reasons that concern an account, not single days of it.
_OF_ACCOUNTS: Final = {
    "account_not_here": "Accounts that are not loaded here",
    "account_not_there": "Accounts that are not there",
}


def run_compare(  # noqa: PLR0913  # its options
    environ: Mapping[str, str],
    source: str,
    table: str = "",
    columns: Sequence[str] = (),
    *,
    since: date | None = None,
    until: date | None = None,
    accounts: Sequence[str] = (),
    style: Style = FOR_PEOPLE,
) -> int:
    """Print where a table differs and why; 0 if nothing does. Raises ConfigError for a table that
    cannot be compared, and WarehouseError.
    """
    given = dict(_role_and_name(text) for text in columns)
    digits = [act_id(account).removeprefix("act_") for account in accounts]
    wanted = Selection(source, table, given, since, until, digits)
    found = compare(published_file(environ), wanted)
    code = SOME_FAILED if found.differing else ALL_DONE
    if style.is_json:
        _print_json(found, code)
        return code
    width = width_of(sys.stdout)
    for line in _lines(found, width):
        for piece in wrapped(line, width) if line else [""]:
            click.echo(piece)
    roles = ", ".join(f"{role}: {column}" for role, column in found.columns.by_role.items())
    style.remark(f"\nTheir columns: {roles}. Another one is named with --column ROLE=NAME.")
    return code


def _role_and_name(text: str) -> tuple[str, str]:
    role, equals, column = text.partition("=")
    if not equals:
        raise ConfigError(f"--column {text}: write it as ROLE=NAME, such as spend=cost.")
    return role, column


def _lines(found: Comparison, width: int | None) -> Iterator[str]:
    differing, equal = len(found.differing), found.days - len(found.differing)
    yield (
        f"{counted(found.days, 'account-day')}, {found.first} to {found.last}: {equal:,} equal,"
        f" {differing:,} {'differs' if differing == 1 else 'differ'}."
    )
    if differing:
        yield from ("", *_summary(found.differing, width), "")
        yield from _days(found.differing, width)
    for kind, title in _OF_ACCOUNTS.items():
        if of := [one for one in found.differing if one.reasons and one.reasons[0].kind == kind]:
            yield f"{title}: {_named(sorted({act_id(d.difference.account_id) for d in of}))}."
    if found.unproven:
        named = [f"{act_id(account)} {day} ({verdict})" for account, day, verdict in found.unproven]
        yield f"Equal, but not proven here: {_named(named)}."
    if found.unplaced:
        rows = counted(found.unplaced, "row of theirs has", "rows of theirs have")
        yield f"{rows} no account or no day, and {'is' if found.unplaced == 1 else 'are'} left out."


def _summary(differing: Sequence[Compared], width: int | None) -> Sequence[str]:
    """How much each reason explains, most account-days first."""
    groups: defaultdict[tuple[str, str], list[Difference]] = defaultdict(list)
    for one in differing:
        kinds = " + ".join(reason.kind for reason in one.reasons) or "not known"
        how = "exactly" if one.is_explained else "perhaps" if one.reasons else "no"
        groups[kinds, how].append(one.difference)
    rows = [
        [kinds, how, len(of), len({one.account_id for one in of}), _spent(of)]
        for (kinds, how), of in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
    return table_lines(
        ["why", "explains it", "account-days", "accounts", "difference in spend"], rows, width
    )


def _spent(differences: Sequence[Difference]) -> str:
    """How much more spend there is, by currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in differences:
        if not one.other_currencies:
            sums[one.currency or ""] += _difference(one).get("spend", Decimal())
    return ", ".join(
        f"{_plain(money, '+')} {currency}".strip() for currency, money in sums.items() if money
    )


def _days(differing: Sequence[Compared], width: int | None) -> Iterator[str]:
    """Account-days, those first that nothing explains."""
    of_days = [
        one for one in differing if not one.reasons or one.reasons[0].kind not in _OF_ACCOUNTS
    ]
    of_days.sort(key=lambda one: one.is_explained)
    rows = [row for one in of_days[:_MOST_DAYS] for row in _rows(one)]
    if rows:
        header = ["account", "day", "why", "number", "there", "here", "difference", "currency"]
        yield from table_lines(header, rows, width, heads=("account", "day", "why"))
    if (more := len(of_days) - _MOST_DAYS) > 0:
        named = counted(more, "more account-day differs", "more account-days differ")
        yield f"{named}; --json prints them all."


def _rows(one: Compared) -> Iterator[Sequence[object]]:
    """A row for each number that differs; for the first alone where all is explained."""
    day = one.difference
    key = [act_id(day.account_id), str(day.day), _why(one)]
    here, there = day.here or {}, day.there or {}
    apart = [role for role in here | there if here.get(role) != there.get(role)] or [*here]
    for role in apart[:1] if one.is_explained else apart:
        money = (day.currency or "") if role == "spend" else ""
        values = [_plain(side.get(role)) for side in (there, here)]
        yield [*key, role, *values, _plain(_difference(day).get(role), "+"), money]


def _why(one: Compared) -> str:
    day = one.difference
    exact = [reason.text for reason in one.reasons if reason.is_exact]
    hints = [reason.text for reason in one.reasons if not reason.is_exact]
    words = "; ".join([*exact, *(f"perhaps: {text}" for text in hints)]) or "not known"
    is_good = day.verdict in {PROVEN, None} or any(r.kind == "unproven" for r in one.reasons)
    return words if is_good else f"{words} (our load is {day.verdict})"


def _difference(one: Difference) -> Sums:
    """Theirs less ours; of numbers that both have, or all if one has no such day."""
    here, there = one.here, one.there
    if one.other_currencies:
        return {}
    roles = (here or {}) | (there or {})
    both = roles if here is None or there is None else here.keys() & there.keys()
    nothing = Decimal()
    return {
        role: (there or {}).get(role, nothing) - (here or {}).get(role, nothing)
        for role in roles
        if role in both
    }


def _plain(number: Decimal | None, sign: str = "") -> Digits | None:
    """With as many places as it needs; money has none or two."""
    if number is None:
        return None
    plain = number.normalize()
    return Digits(f"{plain:{sign}.2f}" if plain.as_tuple().exponent == -1 else f"{plain:{sign}f}")


def _named(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MOST_IN_A_LINE} more" if len(texts) > _MOST_IN_A_LINE else ""
    return ", ".join(texts[:_MOST_IN_A_LINE]) + more


def _print_json(found: Comparison, code: int) -> None:
    """An object for each account-day that differs, and the totals."""
    for one in found.differing:
        day = one.difference
        values = {
            "kind": "account_day",
            "account": act_id(day.account_id),
            "account_name": one.name,
            "day": day.day,
            "currency": day.currency,
            "verdict": day.verdict,
            "there": day.there,
            "here": day.here,
            "difference": _difference(day),
            "is_explained": one.is_explained,
            "reasons": [reason._asdict() for reason in one.reasons],
        }
        print_json(json_line(values))
    line = total_line(
        "compare",
        code,
        since=found.first,
        until=found.last,
        account_days=found.days,
        differ=len(found.differing),
        explained=sum(one.is_explained for one in found.differing),
        equal_but_not_proven=len(found.unproven),
        rows_left_out=found.unplaced,
        columns=found.columns.by_role,
    )
    print_json(line)
