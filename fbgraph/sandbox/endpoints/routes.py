"""Routes: which endpoint a path leads to, by method and by the level of the object that it
names.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import LEVELS
from fbgraph.sandbox.endpoints import estimates, features, images, insights, reading, writing
from fbgraph.sandbox.objects import edges
from fbgraph.sandbox.protocol.params import check_names
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fbgraph.sandbox.insights.runs import Run
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

    Routes = Mapping[tuple[str, ...], Callable[[Platform, ServerRequest, WorldNode], bytes]]

__all__ = ["dispatch"]

#: (method, path) → handler.
ROUTES: Final[Mapping[tuple[str, ...], Callable[[Platform, ServerRequest], bytes]]] = {
    ("GET", "me"): reading.me,
    ("GET", "me", "adaccounts"): reading.accounts,
    ("GET", "me", "businesses"): reading.businesses,
    ("GET", "debug_token"): reading.debug_token,
}

#: (method, what follows the id of an object) → handler.
NODE_ROUTES: Final[Routes] = {
    ("GET",): reading.node,
    ("POST",): writing.update,
    ("DELETE",): writing.delete,
}

#: What has insights has these too.
INSIGHTS_ROUTES: Final[Routes] = {
    ("GET", "insights"): insights.insights,
    ("POST", "insights"): insights.create_run,
}

#: level → what its objects have in addition. Edges that list objects are added to it.
LEVEL_ROUTES: Final[Mapping[str, Routes]] = {
    "account": {
        **{("POST", edge): writing.create for edge in writing.CREATES},
        ("POST", "adimages"): images.upload,
        ("DELETE", "adimages"): writing.delete,
        ("GET", "insights", "feature-settings"): features.settings,
        ("GET", "insights", "feature-settings", "list-features"): features.catalog,
        ("GET", "reachestimate"): estimates.reach,
        ("GET", "delivery_estimate"): estimates.delivery,
    },
    "adset": {("GET", "delivery_estimate"): estimates.delivery},
}

#: The same for a report run.
RUN_ROUTES: Final[Mapping[tuple[str, ...], Callable[[Platform, ServerRequest, Run], bytes]]] = {
    ("GET",): insights.poll_run,
    ("GET", "insights"): insights.read_run,
}


def dispatch(platform: Platform, request: ServerRequest) -> bytes:
    """The body that the call's endpoint gives, or its refusal."""
    fixed = ROUTES.get((request.method, *request.parts))
    return fixed(platform, request) if fixed else _about_object(platform, request)


def _about_object(platform: Platform, request: ServerRequest) -> bytes:
    if not request.parts:
        check_names(request.params, request.params)  # ``GET /?ids=`` is refused for the ``ids``
        raise refused("unknown_object", method=request.method.lower(), id="")
    first, *remaining = request.parts
    route = (request.method, *remaining)
    run = platform.runs.find(first, platform.now())
    if run:
        return _found(RUN_ROUTES, route, first)(platform, request, run)
    node = platform.world.find(first)
    if node is None:
        is_id = first.removeprefix("act_").isdecimal()
        name = "unknown_object" if is_id else "unknown_alias"
        raise refused(name, method=request.method.lower(), id=first)
    return _found(_routes_of(node.level), route, first)(platform, request, node)


@cache
def _routes_of(level: str) -> Routes:
    listing: Routes = {("GET", name): reading.edge for above, name in edges.EDGES if above == level}
    measured = INSIGHTS_ROUTES if level in LEVELS else {}
    return {**NODE_ROUTES, **measured, **LEVEL_ROUTES.get(level, {}), **listing}


def _found(
    routes: Mapping[tuple[str, ...], Callable[..., bytes]], route: tuple[str, ...], object_id: str
) -> Callable[..., bytes]:
    """The handler, or the refusal of a path that leads nowhere from here, or not by this method."""
    if route in routes:
        return routes[route]
    if any(known[1:] == route[1:] for known in routes):
        raise refused("unknown_object", method=route[0].lower(), id=object_id)
    raise refused("unknown_path", path="/".join(route[1:]))
