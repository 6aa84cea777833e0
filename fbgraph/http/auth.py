"""Authentication: how a request proves who sends it. The token is in the Authorization header, and
nowhere else except in the body of `GraphClient.debug_token`, which inspects it.

Source: Facebook Login, Securing Graph API requests (appsecret_proof).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from fbgraph.errors import TokenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["BearerAuth", "ProofTransport", "appsecret_proof", "secrets_of"]


def appsecret_proof(access_token: str, app_secret: str) -> str:
    """64 lower-case hex digits that show we hold the app's secret."""
    return hmac.new(app_secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()


def secrets_of(
    access_token: str, app_secret: str | None, others: Iterable[str] = ()
) -> Sequence[str]:
    """What must never leave a client, in each form that a text or a URL may have it, longest first.

    `others` are secrets that are not Graph's. Raises TokenError for a malformed token.
    """
    if not re.fullmatch(r"[!-~]+", access_token):
        raise TokenError(
            "The access token is empty or has characters that no token has, such as a line break."
            " Check FB_ACCESS_TOKEN."
        )
    known = [access_token, *others]
    if app_secret:
        known += [app_secret, appsecret_proof(access_token, app_secret)]
    written = {form for secret in known for form in (secret, quote(secret, safe=""))}
    return sorted(written, key=len, reverse=True)


class BearerAuth(httpx.Auth):
    """Puts the token in the Authorization header."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]  # a generator that takes no responses
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        yield request

    def __repr__(self) -> str:
        return "BearerAuth(access_token=<hidden>)"


class ProofTransport(httpx.BaseTransport):
    """Adds `appsecret_proof` below httpx's log line, which prints the URL of each request."""

    def __init__(self, below: httpx.BaseTransport, proof: str) -> None:
        self._below = below
        self._proof = proof

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proven = httpx.Request(
            request.method,
            request.url.copy_merge_params({"appsecret_proof": self._proof}),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._below.handle_request(proven)

    def close(self) -> None:
        self._below.close()
