"""A refused request: Meta's error, the body that carries it, and the header next to it.

Sources: Graph API, Handling errors; bodies seen in public issues (docs/graph-api.md#errors).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Refusal", "RefusedError", "authenticate_header", "error_body"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of error. `message`, `title` and `text` may name facts in braces."""

    code: int
    message: str
    subcode: int | None = None
    type: str | None = "OAuthException"
    status: int = 400
    transient: bool | None = None
    title: str | None = None
    text: str | None = None
    #: Name of the fact that holds the blamed parameter, for ``error_data``.
    blames: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether ``fbtrace_id`` comes with it.
    traced: bool = True


class RefusedError(Exception):
    """Raised where a call is refused; answered as an error body."""

    def __init__(self, refusal: Refusal, blamed: str | None = None) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.blamed = blamed


def error_body(error: RefusedError, trace: str) -> bytes:
    """The envelope as Meta sends it; keys without a value are left out."""
    refusal = error.refusal
    # Meta sends error_data as JSON text inside the JSON.
    blame = _compact({"blame_field_specs": [[error.blamed]]}) if error.blamed else None
    envelope: dict[str, Any] = {
        "message": refusal.message,
        "type": refusal.type,
        "code": refusal.code,
        "error_data": blame,
        "error_subcode": refusal.subcode,
        "is_transient": refusal.transient,
        "error_user_title": refusal.title,
        "error_user_msg": refusal.text,
        "fbtrace_id": trace if refusal.traced else None,
    }
    known = {key: value for key, value in envelope.items() if value is not None}
    return _compact({"error": known}).encode()


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


#: code → word in the WWW-Authenticate header; all others say ``invalid_request``.
REASONS: Final[Mapping[int, str]] = {
    **dict.fromkeys((102, 104, 190), "invalid_token"),
    803: "not_found",
}


def authenticate_header(refusal: Refusal) -> str:
    """``WWW-Authenticate`` of an error response. A header holds ASCII only."""
    reason = REASONS.get(refusal.code, "invalid_request")
    message = refusal.message.encode("ascii", "replace").decode().replace('"', "'")
    return f'OAuth "Facebook Platform" "{reason}" "{" ".join(message.split())}"'
