"""The fields of what is in an account's library, besides those that are facts of each node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.nodes import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fbgraph.sandbox.world.nodes import WorldNode

    Reader = Callable[[WorldNode, datetime], Any]

__all__ = ["LIBRARY_FIELDS"]

#: How long ago a pixel fired last.
JUST_NOW: Final = timedelta(minutes=3)


def _text(moment: datetime) -> str:
    """These times are in UTC, whatever the account's zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+0000"


def _created(node: WorldNode, _: datetime) -> str:
    return _text(node.created)


def _updated(node: WorldNode, now: datetime) -> str:
    return _text(min(node.updated, now))


def _fired(node: WorldNode, now: datetime) -> str | None:
    """A conversion that never fired has no such time."""
    return _text(now - JUST_NOW) if node.values.get("fires", True) else None


def _first_fired(node: WorldNode, _: datetime) -> str | None:
    return _text(node.created) if node.values.get("fires", True) else None


def _account(node: WorldNode, _: datetime) -> Any:
    return {"id": f"act_{node.account.id}", "account_id": node.account.id}


NAMED: Final[Mapping[str, Reader]] = {
    "id": lambda node, _: node.id,
    "name": lambda node, _: node.name,
}
OWNED: Final[Mapping[str, Reader]] = {
    **NAMED,
    "account_id": lambda node, _: node.account.id,
    "owner_business": lambda node, _: node.account.values.get("business"),
}
DATED: Final[Mapping[str, Reader]] = {"created_time": _created, "updated_time": _updated}

#: level → field → its value. Times are called and written differently at each: as at Meta.
LIBRARY_FIELDS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "image": {
        **OWNED,
        **DATED,
        "status": lambda node, _: "DELETED" if node.status in HIDDEN else "ACTIVE",
    },
    "video": {"id": NAMED["id"], **DATED},
    "conversion": {
        **OWNED,
        "creation_time": _created,
        "first_fired_time": _first_fired,
        "last_fired_time": _fired,
    },
    "audience": {
        **OWNED,
        "time_created": lambda node, _: int(node.created.timestamp()),
        "time_updated": lambda node, now: int(min(node.updated, now).timestamp()),
        "time_content_updated": lambda node, now: int(min(node.updated, now).timestamp()),
        "permission_for_actions": lambda _node, _now: {"can_edit": True, "can_share": False},
    },
    "saved_audience": {
        **NAMED,
        "account": _account,
        "time_created": _created,
        "time_updated": _updated,
    },
    "pixel": {
        **OWNED,
        "creation_time": _created,
        "last_fired_time": _fired,
    },
    "rule": {
        **OWNED,
        **DATED,
        "status": lambda node, _: node.status,
        "created_by": lambda node, _: {"id": f"1002{node.id[-10:]}", "name": "Ada Quist"},
    },
}
