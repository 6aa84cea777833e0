"""``activities``: what was done to an account's objects. Rows have no id, and without ``since``
there are those of the last seven days only.

Sources: Ad account, Activities; facebook-business 26.0.3; live bodies in public issues.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.objects.fields import check_fields, field_value
from fbgraph.sandbox.protocol.expansion import read_fields
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.paging import EDGE_CURSORS, cut, page, page_request
from fbgraph.sandbox.protocol.params import check_names, flag, limit, moment, words
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.activities import (
    ACTIVITY_TYPES,
    CATEGORIES,
    seeded_activities,
    seeds_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.activities import Activity, Seeded
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["activities", "seeds_in"]

PARAMETERS: Final = frozenset({
    *("limit", "after", "before", "summary", "since", "until", "oid", "extra_oids", "category"),
    *("data_source", "uid", "add_children", "business_id"),
})  # fmt: skip

#: Without ``since``. Source: Ad account, Activities.
USUAL_DAYS: Final = timedelta(days=7)

#: What comes back with no ``fields``.
USUAL_FIELD: Final = "event_time"

#: field → its value. A value of None is left out, but for a text that is null at Meta too.
FIELDS: Final[Mapping[str, Callable[[Activity], Any]]] = {
    "event_time": lambda one: f"{one.at:%Y-%m-%dT%H:%M:%S}+0000",
    "event_type": lambda one: one.event_type,
    "object_id": lambda one: one.node.id,
    "object_name": lambda one: one.name,
    "object_type": lambda one: ACTIVITY_TYPES.get(one.node.level, one.node.level.upper()),
    "actor_id": lambda one: one.actor.id or None,
    "actor_name": lambda one: one.actor.name or None,
    "application_id": lambda one: one.actor.application_id or None,
    "application_name": lambda one: one.actor.application or None,
    "extra_data": lambda one: one.extra,
    "translated_event_type": lambda one: one.event_type.replace("_", " ").capitalize(),
    "date_time_in_timezone": lambda one: f"{one.at.astimezone(one.node.zone):%d/%m/%Y at %H:%M}",
}


def activities(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    check_names(request.params, PARAMETERS)
    fields = read_fields(request.params)
    check_fields("activity", fields, platform.tokens.of(request).scopes)
    names = [field.name for field in fields] or [USUAL_FIELD]
    since, until = _range(request.params, platform.now())
    found = [
        one
        for one in activities_of(platform, node.account, since, until)
        if _is_meant(one, node, request.params)
    ]
    requested = page_request(request.params, limit(request.params), EDGE_CURSORS)
    where = platform.active.cut(cut(requested, len(found)), requested)
    rows = [compact(_row(one, names)) for one in found[where.start : where.stop]]
    return page(rows, where, EDGE_CURSORS, request.pager(requested.limit))


def activities_of(
    platform: Platform, account: WorldNode, since: datetime, until: datetime
) -> Sequence[Activity]:
    """What was done from `since` to `until`, both included, newest first."""
    now = platform.now()
    made = seeded_activities(account, seeds_in(platform, account), since, min(until, now))
    wrote = [one for one in platform.world.log if one.node.account is account]
    found = [*made, *(one for one in wrote if since <= one.at <= until)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def seeds_in(platform: Platform, account: WorldNode) -> Sequence[Seeded]:
    """What the objects of an account were before the first write, which must call it too."""
    now, seeds = platform.now(), platform.world.seeds
    if account.id not in seeds:
        seeds[account.id] = seeds_of(account, lambda node: field_value(node, "daily_budget", now))
    return seeds[account.id]


def _row(one: Activity, names: Sequence[str]) -> dict[str, Any]:
    """Fields without a value are absent; a missing `extra_data` is null for some events."""
    row = {name: FIELDS[name](one) for name in names if name in FIELDS}
    null = {"extra_data"} if one.event_type.startswith("ad_review") else set()
    return {name: value for name, value in row.items() if value is not None or name in null}


def _is_meant(one: Activity, node: WorldNode, params: Mapping[str, str]) -> bool:
    wanted = {params["oid"]} if params.get("oid") else set()
    wanted |= {*words(params, "extra_oids")}
    if node.level != "account":
        wanted.add(node.id)
    above = (
        {above.id for above in one.node.line.values()} if flag(params, "add_children") else set()
    )
    category, by = params.get("category"), params.get("uid")
    return (
        (not wanted or bool(wanted & {one.node.id, *above}))
        and (not category or CATEGORIES.get(one.event_type) == category)
        and (not by or one.actor.id == by)
    )


def _range(params: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    until = moment(params, "until") if params.get("until") else now
    since = moment(params, "since") if params.get("since") else until - USUAL_DAYS
    if since > until:
        raise refused("bad_dates", name="since", why="The start must not be after the end.")
    return since, until
