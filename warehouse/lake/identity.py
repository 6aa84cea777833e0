"""The identity of a lake, and the source of its data: one small file in it, `.lake.json`.

    {"lake_id": "5f0c…", "graph": ["graph.facebook.com"]}

It is written once, by the first load, and read before each later one. People may add names to
`graph`; nothing else changes it. A lake without the file accepts the first source that loads it.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from warehouse.errors import WarehouseError
from warehouse.storage.state import change, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warehouse.storage.store import Store

__all__ = ["KEY", "THIS_MACHINE", "Identity", "claim", "host_of", "identity_of", "refusal"]

KEY: Final = ".lake.json"

#: What all names and addresses of this machine count as, whatever the port.
THIS_MACHINE: Final = "this machine"


@dataclass(frozen=True, slots=True)
class Identity:
    """A lake's own id, and the sources whose data may be in it (see `pipelines.state.origin`)."""

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
        f"{store.name(KEY)} is damaged: it must look like"
        ' {"lake_id": "…", "graph": ["graph.facebook.com"]}. Fix it; or remove it, and the next'
        " load writes a new one for the Graph API that it loads from"
    )


def _parsed(value: Any) -> Identity:
    graph = value["graph"]
    names = [graph] if isinstance(graph, str) else list(graph)
    if not names or not all(isinstance(one, str) for one in (value["lake_id"], *names)):
        raise ValueError
    return Identity(value["lake_id"], tuple(_source(name) for name in names))


def _source(name: str) -> str:
    """A source as people write it: a name or a whole URL."""
    return host_of(name) if "://" in name else name.strip().lower()


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


def refusal(identity: Identity | None, source: str, lake: str) -> str:
    """Why data from `source` must not get into a lake, and what to do; "" if it may."""
    if identity is None or source in identity.graph:
        return ""
    known = " and ".join(identity.graph)
    advice = (
        "To load from there, set WAREHOUSE_URL to another folder or bucket; to keep using this"
        f" lake, set FB_GRAPH_URL to {identity.graph[0]}."
    )
    if all(_is_a_name(one) for one in (source, *identity.graph)):
        advice += (
            f' If both are Meta\'s own Graph API, as with a proxy, add "{source}" to "graph" in'
            f" {lake.rstrip('/')}/{KEY}."
        )
    return (
        f"The lake {lake} holds data from {known}, but FB_GRAPH_URL is {source}. fbinsights does"
        f" not mix them: nothing was requested or written. {advice}"
    )


def _is_a_name(source: str) -> bool:
    """A host on the network, and not the sandbox or whatever else runs on this machine."""
    return " " not in source


def host_of(url: str) -> str:
    """The host of a URL in lower case, without its port; `THIS_MACHINE` for all local ones."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return THIS_MACHINE if _is_here(host) else host


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (found, mapped) if one)
