"""Edges that list objects: which of them are shown, and what the list says about itself.

Sources: Ad account, Campaigns; Object status guide; docs/graph-api.md#objects, #paging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.fields import EFFECTIVE_STATUSES
from fbgraph.sandbox.objects.filters import STATUS_FIELDS, matches, read_filtering, shows_hidden
from fbgraph.sandbox.protocol.params import check_names, some_of, words
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.nodes import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.objects.filters import Condition
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["ACCOUNTS_PARAMETERS", "EDGES", "images", "listed", "wants_total"]

#: (level of the node, edge) → level of what it lists.
EDGES: Final[Mapping[tuple[str, str], str]] = {
    ("account", "campaigns"): "campaign",
    ("account", "adsets"): "adset",
    ("account", "ads"): "ad",
    ("campaign", "adsets"): "adset",
    ("campaign", "ads"): "ad",
    ("adset", "ads"): "ad",
    ("account", "adcreatives"): "creative",
    ("ad", "adcreatives"): "creative",
    ("account", "adlabels"): "label",
    ("adset", "adcreatives"): "creative",
    ("account", "adimages"): "image",
    ("account", "advideos"): "video",
    ("account", "customconversions"): "conversion",
    ("account", "customaudiences"): "audience",
    ("account", "saved_audiences"): "saved_audience",
    ("account", "adspixels"): "pixel",
    ("account", "adrules_library"): "rule",
    ("account", "activities"): "activity",
    ("adset", "activities"): "activity",
    ("campaign", "budget_schedules"): "schedule",
    ("adset", "budget_schedules"): "schedule",
    ("business", "owned_ad_accounts"): "account",
    ("business", "client_ad_accounts"): "account",
}

ACCOUNTS_PARAMETERS: Final = frozenset({"limit", "after", "before", "summary"})

#: ``date_preset``, ``time_range`` and ``is_completed`` are taken and select nothing here.
LIST_PARAMETERS: Final = ACCOUNTS_PARAMETERS | {
    *("effective_status", "filtering", "date_preset", "time_range", "is_completed"),
}

#: Ways to ask for the count. Source: docs/graph-api.md#paging.
TOTAL: Final = frozenset({"true", "1", "total_count", '["total_count"]', "['total_count']"})


def listed(node: WorldNode, edge: str, params: Mapping[str, str]) -> Sequence[WorldNode]:
    """Campaigns, ad sets or ads of an edge: nothing archived unless asked for, nothing deleted."""
    level = EDGES[node.level, edge]
    since = frozenset({"updated_since"}) if edge != "campaigns" else frozenset()
    check_names(params, LIST_PARAMETERS | since)
    statuses = some_of(params, "effective_status", EFFECTIVE_STATUSES["ad"])
    conditions = read_filtering(params, ())
    _refuse_deleted(statuses, conditions)
    hidden = _hidden(statuses, conditions, level)
    return [
        one
        for one in node.under(level)
        if one.effective_status not in hidden
        and (not statuses or one.effective_status in statuses)
        and matches(one, conditions)
        and one.updated.timestamp() > _whole(params, "updated_since")
    ]


def images(nodes: Sequence[WorldNode], params: Mapping[str, str]) -> Sequence[WorldNode]:
    """Those of the images that a request means. Source: SDK, AdAccount.get_ad_images."""
    known = {"hashes", "name", "minwidth", "minheight"}
    check_names(params, ACCOUNTS_PARAMETERS | known)
    hashes, name = words(params, "hashes"), params.get("name")
    least = {side: _whole(params, f"min{side}") for side in ("width", "height")}
    return [
        one
        for one in nodes
        if (not hashes or one.values["hash"] in hashes)
        and (not name or one.name == name)
        and all(one.values.get(side, 0) >= pixels for side, pixels in least.items())
    ]


def _whole(params: Mapping[str, str], name: str) -> int:
    text = params.get(name) or "0"
    if not text.isdecimal():
        raise refused("bad_type", name=name, wanted="an integer")
    return int(text)


def _hidden(statuses: Sequence[str], conditions: Sequence[Condition], level: str) -> frozenset[str]:
    requested = bool(statuses) or shows_hidden(conditions, level)
    return frozenset({"DELETED"}) if requested else HIDDEN


def _refuse_deleted(statuses: Sequence[str], conditions: Sequence[Condition]) -> None:
    values = [c.value for c in conditions if c.name in STATUS_FIELDS]
    requested = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    if "DELETED" in (*statuses, *(str(one).upper() for one in requested)):
        raise refused("deleted_objects")


def wants_total(params: Mapping[str, str]) -> bool:
    """Whether ``summary`` asks for ``total_count``; its other field is not imitated."""
    text = params.get("summary", "").replace(" ", "")
    if text in TOTAL:
        return True
    if text not in ("", "0", "false", "[]"):
        raise refused("not_imitated", what=f"summary={text} of an edge")
    return False
