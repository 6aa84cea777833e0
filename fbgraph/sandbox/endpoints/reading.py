"""Handlers that read nodes and list edges. Each takes a call and gives back a body, or refuses.

Sources: Graph API, Reading, Field expansion; docs/graph-api.md#objects.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.fields import NO_TOTAL_COUNT
from fbgraph.sandbox.endpoints import insights
from fbgraph.sandbox.endpoints.activities import activities
from fbgraph.sandbox.endpoints.media import signed
from fbgraph.sandbox.objects import edges
from fbgraph.sandbox.objects.fields import THUMBNAIL_SIZE, check_fields, describe
from fbgraph.sandbox.objects.weights import check_weight
from fbgraph.sandbox.protocol.expansion import read_fields
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.paging import EDGE_CURSORS, cut, page, page_request
from fbgraph.sandbox.protocol.params import check_names, limit
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.advertisers.plan import Part
from fbgraph.sandbox.world.nodes import HIDDEN, new_node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.objects.fields import Expand
    from fbgraph.sandbox.protocol.expansion import RequestedField
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["accounts", "businesses", "debug_token", "described", "edge", "me", "node"]

#: The user behind a token: field → value from the number of the user.
USER_FIELDS: Final[Mapping[str, Callable[[str], str]]] = {
    "id": lambda user_id: user_id,
    "name": lambda user_id: f"Sandbox User {int(user_id) % 1000}",
    "first_name": lambda _: "Sandbox",
    "last_name": lambda user_id: f"User {int(user_id) % 1000}",
}


def me(platform: Platform, request: ServerRequest) -> bytes:
    check_names(request.params, ())
    user_id = platform.tokens.of(request).user_id
    found: dict[str, Any] = {"id": user_id}
    for field in read_fields(request.params):
        if field.name in USER_EDGES:
            body = USER_EDGES[field.name](platform, _inner(request, "me", field))
            found[field.name] = _page_of(body)
        elif field.name in USER_FIELDS:
            found[field.name] = USER_FIELDS[field.name](user_id)
        else:
            raise refused("node_field", name=field.name, type="User")
    if not request.params.get("fields"):
        found["name"] = USER_FIELDS["name"](user_id)
    return compact({name: value for name, value in found.items() if value is not None})


def debug_token(platform: Platform, request: ServerRequest) -> bytes:
    check_names(request.params, {"input_token"})
    requested = request.params.get("input_token")
    if not requested:
        raise refused("bad_type", name="input_token", wanted="a token")
    if not platform.tokens.may_inspect(platform.tokens.of(request), requested):
        raise refused("not_your_app")
    return compact({"data": platform.tokens.describe(requested, platform.now())})


def node(platform: Platform, request: ServerRequest, one: WorldNode) -> bytes:
    check_names(request.params, THUMBNAIL_SIZE if one.level == "creative" else ())
    return compact(described(platform, request, one))


def described(platform: Platform, request: ServerRequest, one: WorldNode) -> dict[str, Any]:
    """One object with the fields that a call asks for."""
    fields = read_fields(request.params)
    check_fields(one.level, fields, platform.tokens.of(request).scopes)
    now = platform.now()
    found: dict[str, Any] = signed(
        describe(one, fields, now, _expand(platform, request)), request, now
    )
    return found


def _expand(platform: Platform, request: ServerRequest) -> Expand:
    """Reads what lies behind a field that names an edge or an ad's creative."""

    def expand(one: WorldNode, field: RequestedField) -> Any:
        if field.name == "creative":
            creative = platform.world.creative_of(one)
            given = {"fields": field.text, **dict(field.params)}
            return described(platform, request.get(creative.id, given), creative)
        handler = insights.insights if field.name == "insights" else edge
        path = f"act_{one.id}" if one.level == "account" else one.id
        return _page_of(handler(platform, _inner(request, path, field), one))

    return expand


def _inner(request: ServerRequest, path: str, field: RequestedField) -> ServerRequest:
    given = {"fields": field.text} if field.text else {}
    return request.get(f"{path}/{field.name}", {**given, **dict(field.params)})


def _page_of(body: bytes) -> dict[str, Any] | None:
    """The page that an edge gives; nothing where it is empty, as no field has a null."""
    found: dict[str, Any] = json.loads(body)
    return found if found["data"] else None


def accounts(platform: Platform, request: ServerRequest) -> bytes:
    """``me/adaccounts``: all that the user sees, whether or not the token may read them."""
    check_names(request.params, edges.ACCOUNTS_PARAMETERS)
    token = platform.tokens.of(request)
    token.need_ads()
    seen = [one for one in platform.world.accounts if token.sees(one)]
    return _list(platform, request, "account", seen)


def businesses(platform: Platform, request: ServerRequest) -> bytes:
    """``me/businesses``: the one that the users of the sandbox work for."""
    check_names(request.params, edges.ACCOUNTS_PARAMETERS)
    platform.tokens.of(request).need("business_management")
    return _list(platform, request, "business", platform.world.businesses[:1])


USER_EDGES: Final[Mapping[str, Callable[[Platform, ServerRequest], bytes]]] = {
    "adaccounts": accounts,
    "businesses": businesses,
}


def edge(platform: Platform, request: ServerRequest, one: WorldNode) -> bytes:
    name = request.parts[1]
    level = edges.EDGES[one.level, name]
    if level == "activity":
        return activities(platform, request, one)
    special = SPECIAL.get(level)
    nodes = special(platform, request, one) if special else edges.listed(one, name, request.params)
    return _list(platform, request, level, nodes)


def _creatives(platform: Platform, request: ServerRequest, one: WorldNode) -> Sequence[WorldNode]:
    check_names(request.params, edges.ACCOUNTS_PARAMETERS | THUMBNAIL_SIZE)
    return [c for c in platform.world.creatives(one) if c.effective_status not in HIDDEN]


def _labels(_: Platform, request: ServerRequest, one: WorldNode) -> Sequence[WorldNode]:
    check_names(request.params, edges.ACCOUNTS_PARAMETERS)
    return [label for label in one.under("label") if label.status not in HIDDEN]


def _images(platform: Platform, request: ServerRequest, one: WorldNode) -> Sequence[WorldNode]:
    shown = [image for image in platform.world.images(one) if image.status not in HIDDEN]
    return edges.images(shown, request.params)


def _library(platform: Platform, request: ServerRequest, one: WorldNode) -> Sequence[WorldNode]:
    name = request.parts[1]
    check_names(request.params, edges.ACCOUNTS_PARAMETERS | LIBRARY_PARAMETERS.get(name, set()))
    found = platform.world.in_library(one, edges.EDGES[one.level, name])
    return [node for node in found if node.status not in HIDDEN]


def _business_accounts(
    platform: Platform, request: ServerRequest, one: WorldNode
) -> Sequence[WorldNode]:
    """Those that the business owns, or all others as its clients'."""
    check_names(request.params, edges.ACCOUNTS_PARAMETERS)
    owned = request.parts[1] == "owned_ad_accounts"
    token = platform.tokens.of(request)
    return [
        account
        for account in platform.world.accounts
        if token.sees(account) and (account.values["owner"] == one.id) == owned
    ]


def _schedules(platform: Platform, request: ServerRequest, one: WorldNode) -> Sequence[WorldNode]:
    """Planned changes of its budget; there are none unless a scenario makes some."""
    check_names(request.params, edges.ACCOUNTS_PARAMETERS | {"time_start", "time_stop"})
    times, found = (one.created, one.updated), []
    for number, values in enumerate(platform.active.schedules(one)):
        made = new_node(one, one.about, f"{one.id[3:]}{number}", Part("schedule", ""), times)
        made.values |= values
        found.append(made)
    return found


#: Levels that are listed as they are in an account's library.
LIBRARY_LEVELS: Final = ("video", "conversion", "audience", "saved_audience", "pixel", "rule")

#: edge → what may be asked of it; nothing is selected by it here. Source: facebook-business 26.0.3.
LIBRARY_PARAMETERS: Final[Mapping[str, set[str]]] = {
    "advideos": {"title", "filtering"},
    "customaudiences": {"filtering", "pixel_id", "business_id", "fetch_primary_audience"},
    "saved_audiences": {"filtering", "business_id"},
    "adspixels": {"sort_by"},
}

#: level of what is listed → how, where it is not a matter of statuses and filters.
SPECIAL: Final[
    Mapping[str, Callable[[Platform, ServerRequest, WorldNode], Sequence[WorldNode]]]
] = {
    "creative": _creatives,
    "label": _labels,
    "image": _images,
    **dict.fromkeys(LIBRARY_LEVELS, _library),
    "account": _business_accounts,
    "schedule": _schedules,
}


def _list(
    platform: Platform, request: ServerRequest, level: str, nodes: Sequence[WorldNode]
) -> bytes:
    fields = read_fields(request.params)
    check_fields(level, fields, platform.tokens.of(request).scopes)
    check_weight(limit(request.params), fields)
    requested = page_request(request.params, limit(request.params), EDGE_CURSORS)
    where = platform.active.cut(cut(requested, len(nodes)), requested)
    expand = _expand(platform, request)
    now = platform.now()
    rows = [
        compact(signed(describe(one, fields, now, expand), request, now))
        for one in nodes[where.start : where.stop]
    ]
    summary: dict[str, Any] | None = None
    # Some edges ignore `summary` (docs/graph-api.md#paging).
    if edges.wants_total(request.params) and request.parts[-1] not in NO_TOTAL_COUNT:
        total = platform.active.total(len(nodes))
        summary = {"total_count": total} if total is not None else None
    return page(rows, where, EDGE_CURSORS, request.pager(requested.limit), summary)
