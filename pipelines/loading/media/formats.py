"""What a picture is, by its own first bytes: its format and its size in pixels.

The header that a server sends with it may be wrong, so the bytes decide. Formats that can carry
scripts, such as SVG, are not in the table and are not kept.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EXTENSIONS", "Format", "format_of"]

#: Media type → the extension of its files.
EXTENSIONS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
}


class Format(NamedTuple):
    """Its media type, and its size in pixels; None where the bytes do not say."""

    mime: str
    width: int | None
    height: int | None


def format_of(content: bytes) -> Format | None:
    """The format of a picture; None for anything else."""
    for mime, (begins, size_of) in _FORMATS.items():
        if begins(content):
            try:
                width, height = size_of(content)
            except (struct.error, IndexError):  # cut short, or a variant that is not known
                return Format(mime, None, None)
            return Format(mime, width, height)
    return None


def _png(content: bytes) -> tuple[int, int]:
    """Source: PNG specification, 11.2.1 IHDR."""
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif(content: bytes) -> tuple[int, int]:
    """Source: GIF89a specification, 18 Logical Screen Descriptor."""
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


#: What each marker of a JPEG begins with, and what fills the space between two.
_MARKER: Final = 0xFF

#: Markers of a JPEG that begin a frame, which has the size. Source: ITU T.81, table B.1.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(content: bytes) -> tuple[int, int]:
    """Source: ITU T.81, B.2.2 and B.2.4: segments until that of the frame."""
    at = 2
    while content[at] == _MARKER:
        marker = content[at + 1]
        if marker == _MARKER:  # a filler
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    raise IndexError


def _webp(content: bytes) -> tuple[int, int]:
    """Source: RFC 9649, sections 2.5 to 2.7."""
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        sizes = content[24:30]
        width, height = (int.from_bytes(part, "little") for part in (sizes[:3], sizes[3:6]))
        return width + 1, height + 1
    raise IndexError


#: Media type → how its files begin, and where they say their size.
_FORMATS: Final[
    Mapping[str, tuple[Callable[[bytes], bool], Callable[[bytes], tuple[int, int]]]]
] = {
    "image/jpeg": (lambda content: content.startswith(b"\xff\xd8\xff"), _jpeg),
    "image/png": (lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    "image/gif": (lambda content: content.startswith((b"GIF87a", b"GIF89a")), _gif),
    "image/webp": (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _webp),
}
