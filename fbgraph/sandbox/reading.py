"""Handlers that read nodes and list edges. Each takes a call and gives back a body, or refuses.

Sources: Graph API, Reading; contract §3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox import edges
from fbgraph.sandbox.call import compact
from fbgraph.sandbox.objects import check_fields, describe, read_fields
from fbgraph.sandbox.paging import EDGES, ask, cut, page
from fbgraph.sandbox.params import check_names, limit, words
from fbgraph.sandbox.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.call import Call
    from fbgraph.sandbox.state import Platform
    from fbgraph.sandbox.world import Node

__all__ = ["accounts", "debug_token", "edge", "me", "node"]

#: The user behind the token.
ME: Final[Mapping[str, str]] = {"id": "100000000000001", "name": "Sandbox System User"}


def me(_: Platform, call: Call) -> bytes:
    check_names(call.params, ())
    fields = words(call.params, "fields") or tuple(ME)
    for name in fields:
        if name not in ME:
            raise refused("node_field", name=name, type="User")
    return compact({name: ME[name] for name in dict.fromkeys(("id", *fields))})


def debug_token(platform: Platform, call: Call) -> bytes:
    check_names(call.params, {"input_token"})
    if not call.params.get("input_token"):
        raise refused("bad_type", name="input_token", wanted="a token")
    return compact({"data": platform.tokens.describe(call.params["input_token"])})


def node(platform: Platform, call: Call, one: Node) -> bytes:
    check_names(call.params, ())
    fields = read_fields(call.params)
    check_fields(one.level, fields)
    return compact(describe(one, fields, platform.now()))


def accounts(platform: Platform, call: Call) -> bytes:
    """``me/adaccounts``: all that the user sees, whether or not the token may read them."""
    check_names(call.params, edges.ACCOUNTS_PARAMETERS)
    return _list(platform, call, "account", platform.world.accounts)


def edge(platform: Platform, call: Call, one: Node) -> bytes:
    name = call.parts[1]
    level = edges.EDGES[one.level, name]
    return _list(platform, call, level, edges.listed(one, name, call.params))


def _list(platform: Platform, call: Call, level: str, nodes: Sequence[Node]) -> bytes:
    fields = read_fields(call.params)
    check_fields(level, fields)
    asked = ask(call.params, limit(call.params), EDGES)
    where = platform.active.cut(cut(asked, len(nodes)), asked)
    rows = [
        compact(describe(one, fields, platform.now())) for one in nodes[where.start : where.stop]
    ]
    summary: dict[str, Any] | None = None
    if edges.wants_total(call.params):
        total = platform.active.total(len(nodes))
        summary = {"total_count": total} if total is not None else None
    return page(rows, where, EDGES, call.pager(asked.limit), summary)
