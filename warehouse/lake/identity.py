"""The identity of a lake, and the source of its data: one small file in it, `.lake.json`.

    {"lake_id": "5f0c…", "graph": ["graph.facebook.com"]}

It is written once, by the first load, and read before each later one. People may add names to
`graph`; nothing else changes it. A lake without the file accepts the first source that loads it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from warehouse.errors import WarehouseError
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warehouse.storage.store import Store

__all__ = ["KEY", "Identity", "claim", "identity_of"]

KEY: Final = ".lake.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """A lake's own id, and the sources whose data may be in it, as they were written: what they
    mean is the caller's to know (`pipelines.state.origin`).
    """

    lake_id: str
    graph: tuple[str, ...]


def identity_of(store: Store) -> Identity | None:
    """The content of the file; None if it does not exist. Raises WarehouseError if it is damaged,
    and OSError if it cannot be read.
    """
    with suppress(ValueError, KeyError, TypeError):
        try:
            return _parsed(load(store, KEY))
        except FileNotFoundError:
            return None
    raise WarehouseError(
        f"{store.name(KEY)} is damaged. It says which Graph API the data of this lake is from, so"
        " nothing is loaded until it is right; publishing and reading go on. If everything in the"
        " lake is from the Graph API that FB_GRAPH_URL names (by default Meta's), remove the file"
        " and run the same command again, which writes a new one. Otherwise restore it from a"
        ' backup: it looks like {"lake_id": "…", "graph": ["graph.facebook.com"]}'
    )


def _parsed(value: Any) -> Identity:
    graph = value["graph"]
    names = [graph] if isinstance(graph, str) else list(graph)
    if not names or not all(isinstance(one, str) for one in (value["lake_id"], *names)):
        raise ValueError
    return Identity(value["lake_id"], tuple(names))


def claim(store: Store, source: str, new_id: Callable[[], str]) -> Identity:
    """The identity of a lake; a lake without one gets one, with `source`.

    If two processes come first at once, one writes and both get what it wrote. Raises as
    `identity_of` does.
    """
    if (known := identity_of(store)) is not None:
        return known
    identity = Identity(new_id(), (source,))

    def first_or_ours() -> Mapping[str, Any] | None:
        nonlocal identity
        if (first := identity_of(store)) is not None:
            identity = first
            return None
        return {"lake_id": identity.lake_id, "graph": list(identity.graph)}

    change(store, KEY, first_or_ours)
    return identity
