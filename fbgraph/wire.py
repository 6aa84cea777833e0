"""How calls reach Graph: certificates, proxies, connections."""

from __future__ import annotations

import ssl
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UNSENT", "password_in", "proxy_for", "transport"]

#: Connections in use at once; more calls than that wait for one.
MAX_CONNECTIONS: Final = 32

#: Failures on the way before a call has left: even a write may be made again.
UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def transport(proxy: str | None, ca_file: str | Path | None) -> httpx.BaseTransport:
    """Raises OSError for a `ca_file` that is not there, ssl.SSLError for one that holds none."""
    trusted = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS)
    return httpx.HTTPTransport(verify=trusted, proxy=proxy, limits=limits)


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this server, as other programs read it."""
    server = urlsplit(base_url)
    if urllib.request.proxy_bypass(server.hostname or ""):
        return None
    return urllib.request.getproxies().get(server.scheme)


def password_in(proxy: str | None) -> str | None:
    """The secret part of a proxy's URL."""
    return urlsplit(proxy).password if proxy else None
