"""What a picture is, by its own bytes: its format, its size in pixels, and whether it is whole.

The header that a server sends with it may be wrong, so the bytes decide. Formats that can carry
scripts, such as SVG, are not in the table and are not kept.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["EXTENSIONS", "Format", "format_of", "is_whole"]

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
    for mime, (begins, size_of, _) in _FORMATS.items():
        if begins(content):
            try:
                width, height = size_of(content)
            except (struct.error, IndexError):  # cut short, or a variant that is not known
                return Format(mime, None, None)
            return Format(mime, width, height)
    return None


def is_whole(content: bytes, mime: str) -> bool:
    """Whether a picture is complete, as far as its format tells without drawing it: every part has
    the length that it says, checksums are right, and it ends as it must. What comes after its end
    does not count.
    """
    _, _, ends = _FORMATS[mime]
    try:
        return ends(content)
    except (struct.error, IndexError):  # it says that there is more
        return False


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


def _png_ends(content: bytes) -> bool:
    """Source: PNG specification, 5.3 Chunk layout, 5.6 Chunk ordering: IHDR, IDAT, IEND."""
    at, kinds = 8, set[bytes]()
    while True:
        (length,) = struct.unpack_from(">I", content, at)
        kind = content[at + 4 : at + 8]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(content[at + 4 : at + 8 + length]) != checksum:
            return False
        kinds.add(kind)
        if kind == b"IEND":
            return {b"IHDR", b"IDAT"} <= kinds
        at += 12 + length


def _gif_ends(content: bytes) -> bool:
    """Source: GIF89a specification, appendix B: blocks up to the trailer."""
    at, pictures = 13 + _colours(content[10]), 0
    while content[at] != _GIF_TRAILER:
        if content[at] == _GIF_PICTURE:
            pictures += 1
            at += 11 + _colours(content[at + 9])  # its descriptor, and the size of its codes
        elif content[at] == _GIF_EXTENSION:
            at += 2
        else:
            return False
        while content[at]:  # blocks of data, up to an empty one
            at += 1 + content[at]
        at += 1
    return pictures > 0


#: What the blocks of a GIF begin with. Source: GIF89a specification, appendix A.
_GIF_PICTURE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21
_GIF_TRAILER: Final = 0x3B


def _colours(flags: int) -> int:
    """The bytes of a table of colours, by the flags that announce it."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


#: Markers of a JPEG: the end, the start of a scan, and those without a length, which a scan may
#: hold. Source: ITU T.81, table B.1.
_END: Final = 0xD9
_SCAN: Final = 0xDA
_LONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})


def _jpeg_ends(content: bytes) -> bool:
    """Source: ITU T.81, B.1.1 and B.2.1: segments, and after each start of a scan its data, up to
    the end of the image.
    """
    at, has_scan = 2, False
    while content[at] == _MARKER:
        marker = content[at + 1]
        if marker == _END:
            return has_scan
        if marker == _MARKER:  # a filler
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
        if marker == _SCAN:
            has_scan, at = True, _after_scan(content, at)
    return False


def _after_scan(content: bytes, at: int) -> int:
    """Where the data of a scan ends: at a marker that data cannot hold. Raises IndexError."""
    while (at := content.find(_MARKER, at)) >= 0:
        if content[at + 1] not in _LONE:
            return at
        at += 2
    raise IndexError


def _webp_ends(content: bytes) -> bool:
    """Source: RFC 9649, sections 2.3 and 2.4: chunks; one of them is or holds the picture."""
    (length,) = struct.unpack_from("<I", content, 4)
    end, at, kinds = 8 + length, 12, set[bytes]()
    while at < end:
        (size,) = struct.unpack_from("<I", content, at + 4)
        kinds.add(content[at : at + 4])
        at += 8 + size + size % 2
    # The padding of the last chunk is left out by some encoders.
    is_there = at <= end + 1 and len(content) >= end
    return is_there and bool(kinds & {b"VP8 ", b"VP8L", b"ANMF"})


class _PictureFormat(NamedTuple):
    """How files of a format begin, where they say their size, and whether they are whole."""

    begins: Callable[[bytes], bool]
    size: Callable[[bytes], tuple[int, int]]
    ends: Callable[[bytes], bool]


_FORMATS: Final[Mapping[str, _PictureFormat]] = {
    "image/jpeg": _PictureFormat(
        lambda content: content.startswith(b"\xff\xd8\xff"), _jpeg, _jpeg_ends
    ),
    "image/png": _PictureFormat(
        lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), _png, _png_ends
    ),
    "image/gif": _PictureFormat(
        lambda content: content.startswith((b"GIF87a", b"GIF89a")), _gif, _gif_ends
    ),
    "image/webp": _PictureFormat(
        lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _webp, _webp_ends
    ),
}
