"""How requests reach Graph: certificates, proxies, connections."""

from __future__ import annotations

import base64
import ipaddress
import logging
import os
import re
import ssl
import urllib.request
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from fbgraph.errors import RequestError
from fbgraph.http.sockets import PooledTransport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fbgraph.http.sockets import Sockets

__all__ = [
    "UNSENT",
    "address_of",
    "checked_url",
    "is_here",
    "make_transport",
    "proxy_for",
    "require_private",
    "secrets_in",
]

#: Connections in use at once; further requests wait for one.
MAX_CONNECTIONS: Final = 32

#: Seconds for which a connection without a request stays open, as httpx has it.
KEPT_SECONDS: Final = 5.0

#: Failures before a request has left: even a write may be retried.
UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

#: Scheme, perhaps user and password, host, perhaps a port.
_PROXY: Final = re.compile(
    r"(?:https?|socks5h?)://(?:[^@/?#]*@)?(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?/?"
)

#: Meta repeats a token that it refuses in this header, and httpcore logs headers at DEBUG.
_CHALLENGE: Final = re.compile(r"(?i)(b'www-authenticate', )b(['\"])(?:\\.|(?!\2).)*\2")


def _without_challenge(record: logging.LogRecord) -> bool:
    record.msg = _CHALLENGE.sub(r"\1b'<hidden>'", str(record.msg))
    return True


logging.getLogger("httpcore.http11").addFilter(_without_challenge)


def checked_url(base_url: str) -> str:
    """A URL of Graph without its last slash. Raises RequestError for one with a password."""
    if "@" in urlsplit(base_url).netloc:
        raise RequestError(
            "The URL of Graph has a user or a password in it. Remove them: the client sends the"
            " token in their place."
        )
    return base_url.rstrip("/")


def require_private(base_url: str, proxy: str | None, *, allow_http: bool) -> None:
    """Raise RequestError if the token would go in clear to another machine: to the server or, on
    its way, to a proxy.
    """
    server = urlsplit(base_url)
    ways = [base_url, *([proxy] if proxy and _PROXY.fullmatch(proxy) else [])]
    others = [one for one in ways if not is_here(urlsplit(one).hostname or "")]
    if server.scheme == "http" and others and not allow_http:
        named = address_of(others[0])
        raise RequestError(
            f"The token would go to {named} in clear, because {base_url} is not https. Set"
            " FB_GRAPH_URL to an https address; or, if you trust the network up to there, set"
            " FB_ALLOW_HTTP=1 (allow_http=True in Python)."
        )


def is_here(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (found, mapped) if one)


def make_transport(
    proxy: str | None, ca_file: str | Path | None, sockets: Sockets
) -> httpx.BaseTransport:
    """The transport of a client, over its `sockets`. Raises OSError for a missing `ca_file`,
    ssl.SSLError for one without certificates, and RequestError for a `proxy` that is malformed or
    needs a package that is not installed.
    """
    trusted = (
        ssl.create_default_context(cafile=str(ca_file))
        if ca_file
        else _usual(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    )
    if proxy and not _PROXY.fullmatch(proxy):  # and its text stays unsaid: a password may be in it
        raise RequestError(
            "Invalid proxy URL: write it like http://host:port or http://user:password@host:port,"
            " with special characters in user and password escaped (@ as %40)."
        )
    return PooledTransport(_pool(proxy, trusted, sockets))


def _pool(proxy: str | None, trusted: ssl.SSLContext, sockets: Sockets) -> httpcore.ConnectionPool:
    """Connections straight to the server, or through a proxy."""
    if not proxy:
        return httpcore.ConnectionPool(
            trusted,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=sockets,
        )
    way = urlsplit(proxy)
    port = f":{way.port}" if way.port else ""
    host = f"[{way.hostname}]" if ":" in (way.hostname or "") else way.hostname
    is_socks = way.scheme.startswith("socks")
    kind = httpcore.SOCKSProxy if is_socks else httpcore.HTTPProxy
    user, password = (unquote(one or "").encode() for one in (way.username, way.password))
    try:
        return kind(
            f"{way.scheme}://{host}{port}",
            (user, password) if user or password else None,
            ssl_context=trusted,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=sockets,
        )
    except RuntimeError:  # what it needs for SOCKS is not part of httpcore
        raise RequestError("A SOCKS proxy needs one more package: pip install socksio.") from None


@cache
def _usual(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The certificates that httpx trusts, which the two may name. Read once: a process has many
    clients, and it takes longer than a request.
    """
    return httpx.create_ssl_context()


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this server, as other programs read it: one without
    a scheme is an ``http://`` proxy. This machine is asked without one.
    """
    server = urlsplit(base_url)
    if is_here(server.hostname or "") or urllib.request.proxy_bypass(server.hostname or ""):
        return None
    known = urllib.request.getproxies()
    proxy = known.get(server.scheme) or known.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def secrets_in(proxy: str | None) -> Sequence[str]:
    """The password in a proxy's URL, and user and password as they go to the proxy."""
    named = urlsplit(proxy or "")
    if not named.password:
        return []
    user, password = unquote(named.username or ""), unquote(named.password)
    return [password, base64.b64encode(f"{user}:{password}".encode()).decode()]


def address_of(proxy: str) -> str:
    """A proxy's URL without user and password."""
    named = urlsplit(proxy)
    return f"{named.scheme}://{named.netloc.rpartition('@')[2]}"
