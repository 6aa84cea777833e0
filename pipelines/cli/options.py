"""Options that several commands share."""

from __future__ import annotations

from functools import reduce
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

__all__ = [
    "ACCEPT_EMPTY_OPTION",
    "ACCOUNT_OPTION",
    "day_option",
    "finite",
    "of_account_days",
    "port_option",
    "require_order",
]

ACCOUNT_OPTION = click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="Only this ad account; repeatable."
)

ACCEPT_EMPTY_OPTION = click.option(
    "--accept-empty",
    is_flag=True,
    help="Let days that had rows become empty at once where Meta returns none. Otherwise they do"
    " when Meta returns none again at least an hour later.",
)


def _day(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    from datetime import date as a_date  # noqa: PLC0415

    if value is None:
        return None
    try:
        if len(value) != len("2026-11-21"):
            raise ValueError  # noqa: TRY301  # 20261121 is ISO too, and easily a slip
        return a_date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day; write it like 2026-11-21.") from None


def finite(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    """A number and not ``nan``, which a range lets pass."""
    if not isfinite(value):
        raise click.BadParameter(f"{value} is not a number.")
    return value


def day_option(name: str, meaning: str, *, required: bool = False) -> Callable[..., Any]:
    """An option that is a day."""
    return click.option(name, required=required, callback=_day, metavar="DAY", help=meaning)


def of_account_days(*, required: bool = True) -> Callable[[Callable[..., None]], Any]:
    """The options that select account-days."""
    options = (
        day_option(
            "--since",
            "First day, like 2026-11-01, by the clock of each account.",
            required=required,
        ),
        day_option("--until", "Last day, included.", required=required),
        ACCOUNT_OPTION,
        click.option(
            "--report",
            "reports",
            multiple=True,
            metavar="NAME",
            help="Only this report; repeatable.",
        ),
    )
    return lambda command: reduce(lambda done, option: option(done), reversed(options), command)


def port_option(default: int) -> Callable[[Callable[..., None]], Any]:
    """Where a command listens."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="0 takes any free port.",
    )


def require_order(since: date | None, until: date | None) -> None:
    if since and until and since > until:
        raise click.UsageError(f"--since {since} is after --until {until}.")
