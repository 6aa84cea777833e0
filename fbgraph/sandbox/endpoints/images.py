"""Images: uploaded as parts of a multipart body or as base64, kept by the hash of their bytes.

Uploaded pictures themselves are not kept, only their hash, name and size. Sources: Ad account, Ad
images; docs/graph-api.md#writes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.endpoints.media import signed
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.params import check_names
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.advertisers.plan import Part
from fbgraph.sandbox.world.library import media

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["size_of", "upload"]

PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8"

#: What the response to an upload has of each image.
SHOWN: Final = ("hash", "url")

#: Markers of a JPEG that hold its size: frames of any kind, but not the tables among them.
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def upload(platform: Platform, request: ServerRequest, account: WorldNode) -> bytes:
    """``POST act_X/adimages``: each file under its name, with hash and url.

    The parameter ``filename`` is a file as well: the part may be called anything.
    """
    platform.tokens.of(request).need("ads_management")
    check_names(request.params, {"bytes", "name"})
    found = list(_pictures(request))
    if not found:
        raise refused("missing", name="bytes")
    images = [(name, _keep(platform, account, name, content)) for name, content in found]
    shown = {name: {key: image.values[key] for key in SHOWN} for name, image in images}
    return compact({"images": signed(shown, request, platform.now())})


def _pictures(request: ServerRequest) -> Iterator[tuple[str, bytes]]:
    params = request.params
    for part, (filename, content) in request.files.items():
        if not content:
            raise refused("bad_value", name=part, why="The file is empty.")
        yield filename or part, content
    if params.get("bytes"):
        try:
            yield params.get("name") or "bytes", base64.b64decode(params["bytes"], validate=True)
        except binascii.Error:
            raise refused("bad_type", name="bytes", wanted="base64") from None


def _keep(platform: Platform, account: WorldNode, name: str, content: bytes) -> WorldNode:
    """The same bytes are the same image, whatever their name."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    image_id = f"{account.id}:{digest}"
    known = platform.world.nodes.get(image_id)
    if known and known.status != "DELETED":
        return known
    image = platform.world.make(account, Part("image", name), platform.now(), image_id)
    image.values |= {"hash": digest, "url": media("image", f"{account.id}/{digest}")}
    if size := size_of(content):
        image.values |= {"width": size[0], "height": size[1]}
        image.values |= {"original_width": size[0], "original_height": size[1]}
    return image


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF or JPEG; None for anything else, or one that is cut off."""
    try:
        if content.startswith(PNG):
            return struct.unpack(">II", content[16:24])
        if content[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", content[6:10])
        return _size_of_jpeg(content) if content.startswith(JPEG) else None
    except struct.error:
        return None


def _size_of_jpeg(content: bytes) -> tuple[int, int] | None:
    at = len(JPEG)
    while True:
        _, marker, length = struct.unpack(">BBH", content[at : at + 4])
        if marker in FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
