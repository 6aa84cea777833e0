"""Links of ads: the page that they lead to, and the UTM parameters that come with a click. And
Meta's own addresses, which expire.

A link is text that a person typed: it is cut where a browser would cut it, never corrected, and a
macro such as ``{{campaign.name}}`` stays as it is, because Meta replaces it at each click.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["UTM", "expires_at", "is_signed", "landing_page", "lasting", "unsigned", "utm_of"]

#: The parameters of a campaign. Source: https://support.google.com/analytics/answer/10917952
UTM: Final[Sequence[str]] = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id"),
)

#: The parameter of Meta's own addresses that says when they expire: seconds of Unix time, in hex.
#: Source: recorded bodies; docs/graph-api.md#creatives.
_EXPIRES: Final = "oe"

#: The parameter of the same addresses that signs them. Source: as `_EXPIRES`.
_SIGNATURE: Final = "oh"

#: Keys in the JSON of objects whose addresses an advertiser typed: they are kept whatever
#: parameters they have. Source: Marketing API, ad creative specs.
_LINK_KEYS: Final = frozenset(
    {"caption", "deep_link", "display_url", "link", "link_url", "object_url", "website_url"}
)

#: An address within a text, such as JSON, where its slashes and & may be escaped.
_ADDRESS: Final = re.compile(r"""https?:\\?/\\?/(?:[^\s"'<>\\]|\\/|\\u0026)+""")

_NESTED: Final = (dict, list)

_HEX: Final = re.compile(r"[0-9A-Fa-f]{8,9}")


def landing_page(link: str) -> str | None:
    """A link without query and fragment; None if nothing is left."""
    return link.partition("#")[0].partition("?")[0].strip() or None


def utm_of(link: str, url_tags: str) -> Mapping[str, str]:
    """The UTM parameters of a click: those of `url_tags`, then those that only `link` has.

    Meta's reference of `url_tags`: they "will replace or be appended to" the parameters of a link,
    so theirs win. Of a parameter that comes twice the first counts, as for
    ``URLSearchParams.get``; an empty one is none.
    """
    query = link.partition("#")[0].partition("?")[2]
    found: dict[str, str] = {}
    for text in (url_tags.strip().lstrip("?&"), query):
        for key, value in _parameters(text):
            if key in UTM and value:
                found.setdefault(key, value)
    return found


def expires_at(address: str) -> int | None:
    """When an address of Meta's expires, in seconds of Unix time. Such an address differs each time
    that it is requested. None for one that does not say.
    """
    found = _first_of(address, _EXPIRES)
    return int(found, 16) if _HEX.fullmatch(found) else None


def is_signed(value: object) -> bool:
    """Whether this is an address of Meta's that differs at each read."""
    return (
        isinstance(value, str)
        and value.startswith("http")  # few texts are addresses
        and expires_at(value) is not None
        and bool(_first_of(value, _SIGNATURE))
    )


def lasting(value: Any, key: str = "") -> Any:
    """JSON without addresses that are signed, at any depth: they differ at each read, and would
    make each one a new state. `key` is where it is.
    """
    if isinstance(value, dict):
        return {
            name: lasting(part, name) if isinstance(part, _NESTED) else part
            for name, part in value.items()
            if name in _LINK_KEYS or not is_signed(part)
        }
    if isinstance(value, list):
        return [lasting(part, key) for part in value if key in _LINK_KEYS or not is_signed(part)]
    return value


def unsigned(text: str) -> str:
    """A text without the addresses in it that are signed, wherever they are: what of it lasts."""

    def kept(found: re.Match[str]) -> str:
        address = found[0].replace("\\/", "/").replace("\\u0026", "&")
        return "" if is_signed(address) else found[0]

    return _ADDRESS.sub(kept, text)


def _first_of(address: str, wanted: str) -> str:
    """The first value of a parameter of an http address; "" if there is none."""
    if not address.startswith(("https://", "http://")):
        return ""
    values = (value for key, value in _parameters(address.partition("?")[2]) if key == wanted)
    return next(values, "")


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Keys and values, percent-decoded."""
    for part in query.split("&"):
        key, _, value = part.partition("=")
        yield _decoded(key), _decoded(value).strip()


def _decoded(text: str) -> str:
    """Percent-decoded; a byte that is not UTF-8 becomes U+FFFD."""
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text
