"""The source of a lake's data: a host on the network, or a sandbox by its world and seed.

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

from fbgraph.http.transport import is_here
from warehouse.errors import WarehouseError
from warehouse.lake.identity import KEY, claim, identity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.storage.store import Store

__all__ = ["THIS_MACHINE", "claimed", "host_of", "origin_of", "refusal", "refused"]

#: What all names and addresses of this machine count as, whatever the port.
THIS_MACHINE: Final = "this machine"

#: The page on which a sandbox of this machine shows its world and seed.
SEED_PAGE: Final = "/_sandbox/seed"

#: Seconds; it is on this machine.
PATIENCE: Final = 10.0


def origin_of(graph_url: str) -> str:
    """``graph.facebook.com``, ``the sandbox's company with seed 1``, or ``this machine`` for
    anything else that may listen on it.

    The hostile world is ``the sandbox with seed 1``, as when it was the only one, so that lakes of
    that time take its data, and do not take that of the company, which has other accounts.

    Only this machine is sent a request, and without the token. Raises OSError if nothing responds
    there.
    """
    host = host_of(graph_url)
    if host != THIS_MACHINE:
        return host
    return _sandbox_at(graph_url) or THIS_MACHINE


def host_of(url: str) -> str:
    """The host of a URL in lower case, without its port; `THIS_MACHINE` for all local ones."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return THIS_MACHINE if is_here(host) else host


def _sandbox_at(graph_url: str) -> str | None:
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
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        page = json.loads(body)
        which = "sandbox's company" if page.get("world") == "company" else "sandbox"
        return f"the {which} with seed {int(page['seed'])}"
    return None


def refusal(written: Sequence[str], source: str, lake: str) -> str:
    """Why data from `source` must not get into a lake, and what to do; "" if it may. `written`: the
    sources of the lake, as its file has them.
    """
    known = [_source(name) for name in written]
    if source in known:
        return ""
    advice = (
        "To load from there, set WAREHOUSE_URL to another folder or bucket; to keep using this"
        f" lake, set FB_GRAPH_URL to {known[0]}."
    )
    if all(_is_a_name(one) for one in (source, *known)):
        advice += (
            f' If both are Meta\'s own Graph API, as with a proxy, add "{source}" to "graph" in'
            f" {lake.rstrip('/')}/{KEY}."
        )
    return (
        f"The lake {lake} holds data from {' and '.join(known)}, but FB_GRAPH_URL is {source}."
        f" fbinsights does not mix them: nothing was requested or written. {advice}"
    )


def _source(written: str) -> str:
    """A source as people write it: a name or a whole URL."""
    return host_of(written) if "://" in written else written.strip().lower()


def _is_a_name(source: str) -> bool:
    """A host on the network, and not the sandbox or whatever else runs on this machine."""
    return " " not in source


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
    return refusal(identity.graph, origin, store.name())


def claimed(store: Store, graph_url: str) -> str:
    """As `refused`; and a lake without a source now has this one."""
    origin = origin_of(graph_url)
    try:
        identity = claim(store, origin, lambda: uuid4().hex)
    except WarehouseError as error:
        return str(error)
    return refusal(identity.graph, origin, store.name())
