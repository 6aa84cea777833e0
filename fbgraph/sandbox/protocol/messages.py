"""HTTP messages as the sandbox reads and writes them: a request to the Graph API and its response,
free of any web framework.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ServerRequest", "ServerResponse", "Upload", "compact", "read_form"]


class Upload(NamedTuple):
    """A file part of a multipart body."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """A request. `path` is without version and slashes at its ends; `number` counts requests.

    `files` holds the file parts by the names of the parts.
    """

    method: str
    version: str
    path: str
    params: Mapping[str, str]
    base_url: str
    number: int = 0
    bearer: str | None = None
    files: Mapping[str, Upload] = field(default_factory=dict)

    @property
    def token(self) -> str | None:
        return self.params.get("access_token") or self.bearer

    def get(self, path: str, params: Mapping[str, str]) -> ServerRequest:
        """The same caller reading another path."""
        given = {"access_token": self.token or "", **params}
        return replace(self, method="GET", path=path, params=given, files={})

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.path.split("/") if part)

    def pager(self, limit: int) -> Callable[..., str]:
        """Makes the URL of another page of this call; like Meta's, it carries the token."""
        kept = {k: v for k, v in self.params.items() if k not in {"after", "before", "limit"}}
        first = {"access_token": self.token or "", **kept, "limit": str(limit)}
        base = f"{self.base_url}/{self.version}/{self.path}"
        return lambda **cursor: f"{base}?{urlencode({**first, **cursor})}"


@dataclass(frozen=True, slots=True)
class ServerResponse:
    """What goes back. `body` is compact JSON unless a scenario broke it.

    The server waits `wait_seconds` before it sends anything. Where it `is_cut_short` the connection
    ends in the middle of the body; with `drip_seconds` it does after some hundred bytes, which come
    one by one, so far apart.
    """

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    is_cut_short: bool = False
    drip_seconds: float = 0.0


#: One encoder for all: making one costs as much as writing a row.
ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def compact(value: Any) -> bytes:
    """JSON as Meta writes it: no spaces, non-ASCII escaped."""
    return ENCODER.encode(value).encode()


def read_form(text: str) -> dict[str, str]:
    """Parameters of a query string or form body; of a repeated one the last counts."""
    return dict(parse_qsl(text, keep_blank_values=True))
