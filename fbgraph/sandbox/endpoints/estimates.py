"""Estimates of an audience: two edges whose ``data`` is not always a list.

The numbers follow from the text of the targeting, so that the same question has the same response.
Source: reference pages of both edges; which of them gives an object: docs/graph-api.md#paging.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.objects.edges import ACCOUNTS_PARAMETERS
from fbgraph.sandbox.objects.fields import field_value
from fbgraph.sandbox.objects.writable import OPTIMIZATION_GOALS
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.params import check_names, json_value, one_of
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["delivery", "reach"]

#: Bounds of every estimate, in people.
FEWEST: Final = 20_000
MOST: Final = 80_000_000

#: The SDK sends ``summary`` on every edge, so those of lists are taken here too.
DELIVERY_PARAMETERS: Final = frozenset({"optimization_goal", "promoted_object", "targeting_spec"})
REACH_PARAMETERS: Final = frozenset(
    """
    adgroup_ids caller_id concepts creative_action_spec is_debug object_store_url targeting_spec
    """.split()
)


def reach(_: Platform, request: ServerRequest, __: WorldNode) -> bytes:
    """``act_X/reachestimate``: one object."""
    check_names(request.params, ACCOUNTS_PARAMETERS | REACH_PARAMETERS)
    people = _people(_targeting(request))
    data = {
        "users_lower_bound": people,
        "users_upper_bound": people * 118 // 100,
        "estimate_ready": True,
    }
    return compact({"data": data})


def delivery(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """A list of one for an account; for an ad set, whose own targeting it takes, an object."""
    check_names(request.params, ACCOUNTS_PARAMETERS | DELIVERY_PARAMETERS)
    if node.level == "adset":
        targeting = field_value(node, "targeting", platform.now()) or {}
        return compact({"data": _estimate(targeting)})
    if not request.params.get("optimization_goal"):
        raise refused("missing", name="optimization_goal")
    one_of(request.params, "optimization_goal", OPTIMIZATION_GOALS, default="")
    return compact({"data": [_estimate(_targeting(request))]})


def _targeting(request: ServerRequest) -> Any:
    if not request.params.get("targeting_spec"):
        raise refused("missing", name="targeting_spec")
    return json_value(request.params, "targeting_spec", dict)


def _estimate(targeting: Any) -> dict[str, Any]:
    people = _people(targeting)
    return {
        "daily_outcomes_curve": [
            {"spend": spend, "reach": spend * 2, "impressions": spend * 3, "actions": spend // 9}
            for spend in (0, 1000, 10_000)
        ],
        "estimate_dau": people * 6 // 10,
        "estimate_mau_lower_bound": people,
        "estimate_mau_upper_bound": people * 118 // 100,
        "estimate_ready": True,
    }


def _people(targeting: Any) -> int:
    digest = hashlib.blake2b(compact(targeting), digest_size=4).digest()
    share = int.from_bytes(digest) / 2**32
    return int(FEWEST + share * (MOST - FEWEST)) // 100 * 100
