"""The source of a lake's data: a host on the network, or a sandbox by its seed.

Made-up accounts and real ones in one lake would all be proven, so a lake takes data of one source
(`warehouse.lake.identity`). This is checked before anything is requested or written.
"""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

from warehouse.errors import WarehouseError
from warehouse.lake.identity import THIS_MACHINE, claim, host_of, identity_of, refusal

if TYPE_CHECKING:
    from warehouse.storage.store import Store

__all__ = ["claimed", "origin_of", "refused"]

#: The page on which a sandbox of this machine shows its seed.
SEED_PAGE: Final = "/_sandbox/seed"

#: Seconds; it is on this machine.
PATIENCE: Final = 10.0


def origin_of(graph_url: str) -> str:
    """``graph.facebook.com``, ``the sandbox with seed 1``, or ``this machine`` for anything else
    that may listen on it.

    Only this machine is sent a request, and without the token. Raises OSError if nothing responds
    there.
    """
    host = host_of(graph_url)
    if host != THIS_MACHINE:
        return host
    seed = _seed_at(graph_url)
    return THIS_MACHINE if seed is None else f"the sandbox with seed {seed}"


def _seed_at(graph_url: str) -> int | None:
    parts = urlsplit(graph_url)
    if parts.scheme != "http":  # the sandbox speaks nothing else
        return None
    door = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=PATIENCE)
    try:
        door.request("GET", SEED_PAGE)
        response = door.getresponse()
        body = response.read(1000)
    except http.client.HTTPException:
        return None
    finally:
        door.close()
    with suppress(ValueError, KeyError, TypeError):
        return int(json.loads(body)["seed"])
    return None


def refused(store: Store, graph_url: str) -> str:
    """Why nothing from `graph_url` may be loaded into a lake, with what to do; "" if it may.

    If nothing responds, the first call will explain it better. Raises OSError for a lake that
    cannot be reached.
    """
    try:
        identity = identity_of(store)
    except WarehouseError as error:
        return str(error)
    if identity is None:
        return ""
    try:
        origin = origin_of(graph_url)
    except OSError:
        return ""
    return refusal(identity, origin, store.name())


def claimed(store: Store, graph_url: str) -> str:
    """As `refused`; and a lake without a source now has this one."""
    origin = origin_of(graph_url)
    try:
        identity = claim(store, origin, lambda: uuid4().hex)
    except WarehouseError as error:
        return str(error)
    return refusal(identity, origin, store.name())
