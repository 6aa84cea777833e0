"""From where a picture may be downloaded. An address comes from a response, so anybody may have
written it: it is Meta's, or no request is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx

from fbgraph.http.transport import is_here

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["META_HOSTS", "why_refused"]

#: Domains of Meta's that serve pictures of ads, with all below them. Source: recorded addresses of
#: creatives, images and videos.
META_HOSTS: Final[Sequence[str]] = ("fbcdn.net", "facebook.com", "cdninstagram.com")

_HTTPS: Final = 443


def why_refused(address: str, graph_url: str) -> str:
    """Why no picture is downloaded from an address; "" if it may be.

    Over https, from a host of `META_HOSTS`, without user, password or port of its own. If Graph
    itself is on this machine (the sandbox), pictures may come from the same server.
    """
    try:
        url, graph = httpx.URL(address), httpx.URL(graph_url)
    except (httpx.InvalidURL, TypeError, ValueError):
        return "its address is malformed"
    if is_here(graph.host) and _server(url) == _server(graph) and not url.userinfo:
        return ""
    reasons = (
        ("its address has a user or a password in it", bool(url.userinfo)),
        ("its address does not begin with https://", url.scheme != "https"),
        (f"its address has a port, {url.port}", url.port not in {None, _HTTPS}),
        (f"{url.host or 'its host'} is not a host of Meta's", not _is_metas(url.host)),
    )
    return next((why for why, holds in reasons if holds), "")


def _is_metas(host: str) -> bool:
    is_name = re.fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z]+", host, re.ASCII)
    return bool(is_name) and any(host == one or host.endswith(f".{one}") for one in META_HOSTS)


def _server(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
