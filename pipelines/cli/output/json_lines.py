"""What `--json` prints: an object a line, for programs. Keys stay; new ones may come.

An account-day has ``"kind": "account_day"``, the last line ``"kind": "total"``. Amounts are JSON
numbers with all their digits: a reader of decimals has them exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from fbgraph import act_id

if TYPE_CHECKING:
    from pipelines.loading.partitions import AccountDay
    from warehouse.lake.records import Load

__all__ = ["account_day_line", "json_line", "print_json", "total_line"]


def print_json(line: str) -> None:
    """In UTF-8, whatever the encoding of the terminal: programs read it."""
    click.echo(line.encode(errors="backslashreplace"))


def json_line(values: Mapping[str, Any]) -> str:
    """An object in a line. Decimals are numbers, which `json` alone cannot write exactly."""
    return _json(values)


def _json(value: Any) -> str:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case Mapping():
            inside = (f"{json.dumps(str(key))}: {_json(one)}" for key, one in value.items())
            return f"{{{', '.join(inside)}}}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case date() | datetime():
            return json.dumps(value.isoformat())
        case Sequence():
            return f"[{', '.join(map(_json, value))}]"
        case _:
            return json.dumps(value)


def account_day_line(  # noqa: PLR0913  # what the line has
    account_day: AccountDay,
    report: str,
    verdict: str,
    load: Load | None = None,
    *,
    name: str | None,
    currency: str | None,
    error: str = "",
    **more: Any,
) -> str:
    """One account-day of a report. `load`: what the lake has of it, as far as the command tells
    that. `error`: why it is not as it should be. `more` replaces or adds values.
    """
    return json_line(
        {
            "kind": "account_day",
            "account": act_id(account_day.account_id),
            "account_name": name,
            "report": report,
            "day": account_day.day,
            "verdict": verdict,
            "rows": load and load.rows,
            "impressions": load and load.impressions,
            "clicks": load and load.clicks,
            "spend": load and load.spend,
            "currency": currency or None,
            "calls": load and load.calls,
            "conversions": load and load.conversions,
            "reason": (load and load.reason) or None,
            "error": error or None,
            **more,
        }
    )


def total_line(command: str, exit_code: int, **values: Any) -> str:
    """The last line: all of it. `command` is what was typed after ``fbinsights``."""
    return json_line({"kind": "total", "command": command, "exit_code": exit_code, **values})
