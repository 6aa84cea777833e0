"""Who may call: tokens, the proof of the app's secret, versions.

Sources: Graph API, Access tokens, Securing requests, Versioning; contract §1, §2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.refusals import refused

if TYPE_CHECKING:
    from datetime import datetime

    from fbgraph.sandbox.call import Call

__all__ = ["LATEST", "VERSIONS", "Tokens", "served_version"]

#: Versions with which ads endpoints work as of 2026-11-23, and the newest of them.
VERSIONS: Final = ("v25.0", "v26.0")
LATEST: Final = VERSIONS[-1]

#: Older ones still serve what is no ads endpoint. Source: Versioning; contract 1.5.
GRAPH_VERSIONS: Final = ("v21.0", "v22.0", "v23.0", "v24.0")
NOT_ADS: Final = frozenset({("me",), ("debug_token",)})

#: A proof with a time is good for so many seconds. Source: Securing requests.
PROOF_SECONDS: Final = 300

EXPIRED_ON: Final = "Friday, 20-Nov-26 09:00:00 PST"


def served_version(call: Call, *, upgrade: bool) -> str:
    """The version that serves a call. An expired one is refused, or upgraded where the app may."""
    version = call.version
    if version in VERSIONS or (call.parts in NOT_ADS and version in GRAPH_VERSIONS):
        return version
    if call.method == "POST" and not version and not call.parts:
        return LATEST  # a batch may go to the bare host
    if not re.fullmatch(r"v\d{1,2}\.\d", version):
        raise refused("version", latest=LATEST)  # unversioned: the app's oldest one
    if float(version[1:]) > float(LATEST[1:]):
        raise refused("unknown_path", path=version)
    if not upgrade:
        raise refused("version", latest=LATEST)
    return LATEST


@dataclass(frozen=True, slots=True)
class Tokens:
    """The one valid token, the same with a tail as an expired one, and the app's secret."""

    valid: str
    secret: str | None = None

    @property
    def expired(self) -> str:
        return f"{self.valid}Expired"

    def check(self, call: Call, now: datetime) -> None:
        """Raises the refusal that Meta gives to this token or proof, if any."""
        if not call.token:
            raise refused("no_token_for_me" if call.parts[:1] == ("me",) else "no_token")
        if call.token != self.valid:
            raise self._refusal(call.token, now)
        if self.secret is not None:
            self._check_proof(self.secret, call, now)

    def _refusal(self, token: str, now: datetime) -> Exception:
        if token.startswith(self.valid):
            current = f"{now:%A, %d-%b-%y %H:%M:%S} PST"
            return refused("token_expired", expired=EXPIRED_ON, current=current)
        return refused(
            "token_malformed" if token.startswith("EAA") else "token_invalid", token=token
        )

    def _check_proof(self, secret: str, call: Call, now: datetime) -> None:
        proof, time = (call.params.get(f"appsecret_{name}") for name in ("proof", "time"))
        if not proof:
            raise refused("proof_missing")
        message = f"{self.valid}|{time}" if time else self.valid
        right = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        old = time is not None and not _is_recent(time, now)
        if old or not hmac.compare_digest(right.encode(), proof.encode()):
            raise refused("proof_invalid")

    def describe(self, token: str) -> dict[str, Any]:
        """``debug_token``: what is known of a token. An expiry of 0 is never."""
        if token == self.valid:
            return {
                "app_id": "123456789012345",
                "type": "SYSTEM_USER",
                "application": "fbinsights sandbox",
                "data_access_expires_at": 0,
                "expires_at": 0,
                "is_valid": True,
                "scopes": ["ads_read"],
                "user_id": "100000000000001",
            }
        expired = token.startswith(self.valid)
        error = {"code": 190, "message": "Session has expired" if expired else "Invalid token"}
        return {
            "error": {**error, "subcode": 463} if expired else error,
            "is_valid": False,
            "scopes": [],
        }


def _is_recent(time: str, now: datetime) -> bool:
    return time.isdecimal() and abs(now.timestamp() - int(time)) <= PROOF_SECONDS
