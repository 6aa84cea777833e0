"""One call to the Graph API and its answer, free of any web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Answer", "Call", "compact", "read_form"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked. `path` is without version and slashes at its ends; `number` counts calls."""

    method: str
    version: str
    path: str
    params: Mapping[str, str]
    base_url: str
    number: int = 0
    bearer: str | None = None

    @property
    def token(self) -> str | None:
        return self.params.get("access_token") or self.bearer

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
class Answer:
    """What goes back. `body` is compact JSON unless a scenario broke it."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


#: One encoder for all: making one costs as much as writing a row.
ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def compact(value: Any) -> bytes:
    """JSON as Meta writes it: no spaces, non-ASCII escaped."""
    return ENCODER.encode(value).encode()


def read_form(text: str) -> dict[str, str]:
    """Parameters of a query string or form body; of a repeated one the last counts."""
    return dict(parse_qsl(text, keep_blank_values=True))
