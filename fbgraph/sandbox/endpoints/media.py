"""Addresses of pictures, signed again each time they are sent, and the pictures behind them.

At Meta they lead to a CDN, need no token and end after some days; here they are on the sandbox
itself, under ``/media``. Sources: Ad image reference; recorded links.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.creatives.content import cover_of
from fbgraph.sandbox.world.creatives.pictures import drawn
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.library import UNSIGNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.creatives.pictures import Picture

__all__ = ["picture", "signed"]

#: Pixels of a thumbnail unless a request says so: all 500 recorded ones have these.
USUAL: Final = 64
MOST_PIXELS: Final = 2000

#: How long an address leads somewhere.
VALID: Final = timedelta(days=4)


def signed(value: Any, request: ServerRequest, now: datetime) -> Any:
    """A JSON value with all its addresses signed."""
    if isinstance(value, dict):
        return {key: signed(one, request, now) for key, one in value.items()}
    if isinstance(value, list):
        return [signed(one, request, now) for one in value]
    if isinstance(value, str) and value.startswith(UNSIGNED):
        return _address(value.removeprefix(UNSIGNED), request, now)
    return value


def _address(path: str, request: ServerRequest, now: datetime) -> str:
    """``oe`` is when it ends, in hexadecimal, and ``oh`` another one at each read."""
    name, _, size = path.partition("?size=")
    if name.startswith("thumbnail/"):
        size = "x".join(str(_pixels(request.params, side)) for side in ("width", "height"))
    ends = int((now + VALID).timestamp())
    shape = f"stp=dst-png_p{size}&" if size else ""
    return (
        f"{request.base_url}/media/{name}.png?{shape}oh={_sign(name, request.number)}&oe={ends:X}"
    )


def _pixels(params: Mapping[str, str], side: str) -> int:
    text = params.get(f"thumbnail_{side}") or str(USUAL)
    if not text.isdecimal() or not 0 < int(text) <= MOST_PIXELS:
        raise refused("bad_type", name=f"thumbnail_{side}", wanted="an integer greater than zero")
    return int(text)


def _sign(name: str, number: int) -> str:
    return f"00_{dice(name, number):08x}{number:x}"


def picture(
    platform: Platform, path: str, params: Mapping[str, str], now: datetime
) -> bytes | None:
    """The PNG at an address, or None where it leads nowhere, or no longer."""
    ends = params.get("oe", "")
    if not re.fullmatch(r"[0-9A-F]{1,9}", ends) or not params.get("oh"):
        return None
    if datetime.fromtimestamp(int(ends, 16), UTC) < now:
        return None
    kind, _, name = path.removesuffix(".png").partition("/")
    found = _found(platform, kind, name)
    sides = re.search(r"_p(\d{1,4})x(\d{1,4})", params.get("stp", ""))
    size = (int(sides[1]), int(sides[2])) if sides else (0, 0)
    return drawn(found, *size) if found else None


def _found(platform: Platform, kind: str, name: str) -> Picture | None:
    node = platform.world.find(name.replace("/", ":"))
    if node is None:
        return None
    if kind == "thumbnail":
        return cover_of(node) if node.level == "creative" and node.is_seeded else None
    return platform.world.library(node.account).pictures.get(node.id)
