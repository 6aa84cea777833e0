"""`fbinsights doctor`: what is set up right, what is not, and what to do about it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fbgraph import act_id
from fbgraph.answers import integer
from fbgraph.errors import ENDS_EVERYTHING, GraphError, TokenError
from pipelines.listings import discover
from pipelines.settings import ConfigError, settings_of
from warehouse.catalog import LINK
from warehouse.errors import WarehouseError
from warehouse.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fbgraph import GraphClient
    from fbgraph.paging import Row
    from pipelines.settings import Settings

__all__ = ["Finding", "examine"]

#: (ok, what was looked at, what was found or what to do).
Finding = tuple[bool, str, str]

#: Days before its end from which a token is to be renewed.
RENEW_DAYS: Final = 14

#: `account_status` of accounts that run. Source: Marketing API, ad account reference.
_RUNS = {1: "active", 9: "in grace period", 201: "any active"}


def examine(environ: Mapping[str, str]) -> int:
    """Look at everything, one line each on stdout; returns how many lines need something done."""
    bad = 0
    for ok, what, said in _findings(environ):
        click.echo(f"{'ok   ' if ok else 'to do'}  {what:<20}  {said}")
        bad += not ok
    return bad


def _findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings = settings_of(environ)
    except ConfigError as error:
        yield False, "settings", str(error)
        return
    yield _warehouse(settings.warehouse_url)
    try:
        client = settings.open_graph(is_shared=False)
    except (ConfigError, TokenError) as error:
        yield False, "token", str(error)
        return
    with client:
        yield from _graph(client, settings)


def _graph(client: GraphClient, settings: Settings) -> Iterator[Finding]:
    try:
        found = discover(client, settings.account_ids)
    except GraphError as error:
        yield False, "token" if isinstance(error, TokenError) else "graph", str(error)
        return
    yield _token(client)
    yield _version(client)
    if not found.rows and not found.refused:
        yield False, "accounts", "The token sees no ad account. Give its user access to one."
    for account_id, why in found.refused.items():
        yield False, act_id(account_id), why
    for row in found.rows:
        yield _account(client, row)


def _token(client: GraphClient) -> Finding:
    """What Meta knows of the token. Where it does not say, the token has at least answered."""
    try:
        told = client.debug_token()
    except ENDS_EVERYTHING as error:
        return False, "token", str(error)
    except GraphError as error:
        return True, "token", f"valid; expiry and scopes unknown: {error}"
    return _token_finding(told, datetime.now(UTC))


def _token_finding(told: Mapping[str, Any], now: datetime) -> Finding:
    """Nothing is held against a token that Meta does not say of it."""
    if not told.get("is_valid", True):
        return False, "token", "Meta calls it invalid. Make a new one: FB_ACCESS_TOKEN."
    scopes = told.get("scopes")
    names = [str(scope) for scope in scopes] if isinstance(scopes, list) else None
    if names is not None and not {"ads_read", "ads_management"} & set(names):
        return False, "token", f"lacks the scope ads_read; it has: {', '.join(names) or 'none'}."
    granted = "scopes unknown" if names is None else f"scopes {', '.join(names)}"
    until = integer(told.get("expires_at"))
    if not until:
        expiry = "expiry unknown" if until is None else "never expires"
        return True, "token", f"valid, {expiry}; {granted}"
    days = math.floor((until - now.timestamp()) / (24 * 3600))
    return days >= RENEW_DAYS, "token", f"expires in {days} days; {granted}"


def _version(client: GraphClient) -> Finding:
    served = client.tally.api_version
    if served in ("", client.version):
        return True, "API version", client.version
    return False, "API version", f"asked for {client.version}, served {served}: set FB_API_VERSION."


def _account(client: GraphClient, row: Row) -> Finding:
    """Whether insights of an account can be read, by one small call."""
    key = act_id(row["account_id"])
    name = f"{row.get('name', '')} ({row.get('currency')}, {row.get('timezone_name')})"
    try:
        next(iter(client.account(key).insights(limit=1, date_preset="yesterday")), None)
    except GraphError as error:
        return False, key, f"{name}: {error}"
    status = row.get("account_status")
    runs = _RUNS.get(status) if isinstance(status, int) else None
    return True, key, f"{name}: readable, {runs or f'account_status {status}'}"


def _warehouse(url: str) -> Finding:
    try:
        lake = Lake(url)
        lake.demand_writable()
    except (WarehouseError, OSError) as error:
        return False, "warehouse", str(error)
    root = lake.root
    published = root / LINK
    if not published.exists():
        return True, "warehouse", f"{root}: nothing published yet"
    age = datetime.now(UTC) - datetime.fromtimestamp(Path(published).stat().st_mtime, UTC)
    return True, "warehouse", f"{root}: published {age.total_seconds() / 3600:.1f} hours ago"
