"""The features of insights that an account has enabled, and all that there are.

An account has enabled every feature for all days, unless a scenario says otherwise. Enabling one is
not imitated. Source: Marketing API, Feature Settings API, 2026-09-19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import FEATURES
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.paging import EDGE_CURSORS, cut, page, page_request
from fbgraph.sandbox.protocol.params import check_names, limit, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["catalog", "settings"]

PAGED: Final = frozenset({"limit", "after", "before"})


def settings(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """``act_X/insights/feature-settings``: what was never enabled is absent."""
    check_names(request.params, PAGED | {"feature_name"})
    enabled = platform.features(node)
    if request.params.get("feature_name"):
        name = one_of(request.params, "feature_name", FEATURES, default="")
        enabled = {one: since for one, since in enabled.items() if one == name}
    rows = [
        {
            "feature_name": name,
            "status": "enabled",
            **({"insights_effective_date": since} if since else {}),
        }
        for name, since in sorted(enabled.items())
    ]
    return _page(request, rows)


def catalog(_: Platform, request: ServerRequest, __: WorldNode) -> bytes:
    """``act_X/insights/feature-settings/list-features``: the same for every account."""
    check_names(request.params, PAGED)
    names = sorted(FEATURES)
    return _page(request, [{"feature_name": one, "feature_type": "breakdown"} for one in names])


def _page(request: ServerRequest, rows: Sequence[Mapping[str, str]]) -> bytes:
    requested = page_request(request.params, limit(request.params), EDGE_CURSORS)
    where = cut(requested, len(rows))
    shown = [compact(row) for row in rows[where.start : where.stop]]
    return page(shown, where, EDGE_CURSORS, request.pager(requested.limit), None)
