"""Tokens: those that exist, what they may do, and the proof of the app's secret.

Sources: Graph API, Access tokens, Securing requests; docs/graph-api.md#authentication.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.refusals import EXPIRED_ON, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["Token", "Tokens"]

#: How long a proof with a time is valid, in seconds. Source: Securing requests.
PROOF_SECONDS: Final = 300

#: What the sandbox's own token may do. Each of these scopes alone lets a token read ads.
SCOPES: Final = ("ads_read", "ads_management")
ADS_SCOPES: Final = frozenset(SCOPES)

#: Kinds of tokens that can be made. Source: docs/graph-api.md#authentication.
TOKEN_KINDS: Final = ("USER", "SYSTEM_USER", "PAGE")

APP_ID: Final = "123456789012345"
USER_ID: Final = 100000000000000


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `accounts` holds the ids that it sees, None for all; `expires` None is never.

    `ended` names the refusal that it has come to, where it no longer works.
    """

    text: str
    scopes: tuple[str, ...] = ()
    accounts: frozenset[str] | None = None
    expires: datetime | None = None
    kind: str = "USER"
    user_id: str = ""
    ended: str = ""

    def sees(self, account: WorldNode) -> bool:
        return self.accounts is None or account.id in self.accounts

    def need(self, scope: str) -> None:
        """Raises the refusal of a call that needs `scope`, if the token lacks it."""
        if scope not in self.scopes:
            raise refused("needs_right", right=scope)

    def need_ads(self) -> None:
        """Reading ads takes either of two scopes."""
        if not ADS_SCOPES.intersection(self.scopes):
            raise refused("needs_ads_scope")

    def refusal(self, now: datetime) -> tuple[str, Mapping[str, str]] | None:
        """The name and facts of the refusal that it has come to, if any."""
        current = f"{now:%A, %d-%b-%y %H:%M:%S} PST"
        if self.ended:
            return self.ended, {"expired": EXPIRED_ON, "current": current}
        if self.expires and self.expires <= now:
            on = f"{self.expires:%A, %d-%b-%y %H:%M:%S} PST"
            return "token_expired", {"expired": on, "current": current}
        return None


class Tokens:
    """Every token of this sandbox, and the app's secret.

    With `requires_proof` every call must carry the proof of the secret. Source:
    docs/graph-api.md#authentication.
    """

    def __init__(self, seed: int, secret: str | None = None) -> None:
        self.secret = secret or "SandboxAppSecret"
        self.requires_proof = secret is not None
        self._seed = seed
        self._tokens: dict[str, Token] = {}
        self.valid = self._name("")
        self.expired = f"{self.valid}Expired"
        self.app = f"{APP_ID}|{self.secret}"
        usual = Token(self.valid, SCOPES, kind="SYSTEM_USER", user_id=str(USER_ID + 1))
        self._keep(usual)
        self._keep(replace(usual, text=self.expired, ended="token_expired"))
        self._keep(Token(self.app, kind="APP"))

    def _name(self, index: str) -> str:
        return "EAASandbox" + blake2b(f"{self._seed}{index}".encode(), digest_size=12).hexdigest()

    def _keep(self, token: Token) -> Token:
        self._tokens[token.text] = token
        return token

    def make(
        self,
        scopes: Collection[str],
        accounts: Collection[str] | None,
        expires: datetime | None,
        kind: str,
    ) -> Token:
        """A new token with a user of its own. Raises ValueError for an unknown kind."""
        if kind not in TOKEN_KINDS:
            known = ", ".join(TOKEN_KINDS)
            raise ValueError(f"Unknown kind of token {kind!r}: expected one of {known}.")
        index = len(self._tokens)
        seen = None if accounts is None else frozenset(accounts)
        text, user_id = self._name(f"/{index}"), str(USER_ID + index)
        return self._keep(Token(text, tuple(scopes), seen, expires, kind, user_id))

    def revoke(self, text: str) -> None:
        """From now on it is refused with 190/460. KeyError for an unknown one."""
        self._keep(replace(self._tokens[text], ended="token_revoked"))

    def of(self, request: ServerRequest) -> Token:
        """The token of a call that has been checked."""
        return self._tokens[request.token or ""]

    def check(self, request: ServerRequest, now: datetime) -> Token:
        """Raises the refusal that Meta gives to this token or proof, if any."""
        text = request.token
        for_me = request.parts[:1] == ("me",)
        if not text or (text == self.app and for_me):
            raise refused("no_token_for_me" if for_me else "no_token")
        if text not in self._tokens:
            known = text.startswith("EAA")
            raise refused("token_malformed" if known else "token_invalid", token=text)
        token = self._tokens[text]
        if refusal := token.refusal(now):
            raise refused(refusal[0], **refusal[1])
        if self.requires_proof and text != self.app:
            self._check_proof(text, request, now)
        return token

    def _check_proof(self, token: str, request: ServerRequest, now: datetime) -> None:
        proof, time = (request.params.get(f"appsecret_{name}") for name in ("proof", "time"))
        if not proof:
            raise refused("proof_missing")
        message = f"{token}|{time}" if time else token
        right = hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        old = time is not None and not _is_recent(time, now)
        if old or not hmac.compare_digest(right.encode(), proof.encode()):
            raise refused("proof_invalid")

    def describe(self, text: str, now: datetime) -> dict[str, Any]:
        """``debug_token``: what is known of a token. An expiry of 0 is never."""
        token = self._tokens.get(text)
        if token is None:
            return _unusable("token_invalid", {"token": text})
        facts = {
            "app_id": APP_ID,
            "type": token.kind,
            "application": "fbinsights sandbox",
            "data_access_expires_at": 0,
            "expires_at": int(token.expires.timestamp()) if token.expires else 0,
            "is_valid": True,
            "scopes": list(token.scopes),
        }
        if token.user_id:
            facts["user_id"] = token.user_id
        refusal = token.refusal(now)
        return facts | _unusable(*refusal) if refusal else facts

    def may_inspect(self, asker: Token, text: str) -> bool:
        """A token may ask about itself; the app, and whose user develops it, about any."""
        return asker.text in (text, self.app, self.valid)


def _unusable(name: str, facts: Mapping[str, str]) -> dict[str, Any]:
    """What ``debug_token`` says of a token that is refused."""
    refusal = refused(name, **facts).refusal
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.subcode:
        error["subcode"] = refusal.subcode
    return {"error": error, "is_valid": False, "scopes": []}


def _is_recent(time: str, now: datetime) -> bool:
    return time.isdecimal() and abs(now.timestamp() - int(time)) <= PROOF_SECONDS
