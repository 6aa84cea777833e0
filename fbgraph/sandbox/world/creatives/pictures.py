"""The pictures of creatives: a product on a ground of the brand's colour, drawn when asked for.

A drawing is a few shapes in a unit square, painted line by line, so that one of a million pixels
takes milliseconds and the same picture has the same bytes on every machine.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from hashlib import md5
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["DRAWINGS", "Picture", "drawn"]

Colour = tuple[int, int, int]
Point = tuple[float, float]

#: Shades of the ground, from top to bottom.
SHADES: Final = 48

#: Tones of a drawing: places in the palette behind the shades.
DARK, INK, LIGHT, SHADOW = range(SHADES, SHADES + 4)

WHITE: Final[Colour] = (255, 255, 255)
BLACK: Final[Colour] = (16, 20, 24)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in an account's library. `subject` is one of `DRAWINGS`; `version` moves the light.

    `owner` is the id of its account: the same picture has another hash in another library.
    """

    owner: str
    name: str
    subject: str
    colour: Colour
    version: int = 1
    width: int = 1080
    height: int = 1080

    @property
    def hash(self) -> str:
        """32 hexadecimal digits, as Meta names pictures."""
        facts = (self.owner, self.name, self.subject, self.version, self.width, self.height)
        return md5(repr(facts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Ellipse:
    tone: int
    middle: Point
    radii: Point

    def spans(self, y: float) -> Iterator[tuple[float, float]]:
        up = (y - self.middle[1]) / self.radii[1]
        if abs(up) < 1:
            half = self.radii[0] * (1 - up * up) ** 0.5
            yield self.middle[0] - half, self.middle[0] + half


@dataclass(frozen=True, slots=True)
class _Polygon:
    tone: int
    corners: Sequence[Point]

    def spans(self, y: float) -> Iterator[tuple[float, float]]:
        crossed = sorted(
            a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])
            for a, b in pairwise((*self.corners, self.corners[0]))
            if (a[1] <= y) != (b[1] <= y)
        )
        yield from zip(crossed[::2], crossed[1::2], strict=True)


def _box(tone: int, left: float, top: float, right: float, bottom: float) -> _Polygon:
    return _Polygon(tone, ((left, top), (right, top), (right, bottom), (left, bottom)))


#: subject → its shapes, from back to front.
DRAWINGS: Final[Mapping[str, Sequence[_Ellipse | _Polygon]]] = {
    "jacket": (
        _Polygon(DARK, ((0.36, 0.28), (0.20, 0.42), (0.17, 0.70), (0.26, 0.71), (0.40, 0.44))),
        _Polygon(DARK, ((0.64, 0.28), (0.80, 0.42), (0.83, 0.70), (0.74, 0.71), (0.60, 0.44))),
        _Polygon(INK, ((0.36, 0.27), (0.64, 0.27), (0.70, 0.78), (0.30, 0.78))),
        _Polygon(LIGHT, ((0.41, 0.27), (0.59, 0.27), (0.50, 0.40))),
        _box(DARK, 0.494, 0.36, 0.506, 0.78),
        _box(DARK, 0.35, 0.60, 0.44, 0.615),
        _box(DARK, 0.56, 0.60, 0.65, 0.615),
    ),
    "backpack": (
        _Ellipse(DARK, (0.50, 0.26), (0.10, 0.08)),
        _Ellipse(INK, (0.50, 0.42), (0.21, 0.20)),
        _box(INK, 0.29, 0.42, 0.71, 0.78),
        _box(DARK, 0.34, 0.56, 0.66, 0.74),
        _box(LIGHT, 0.34, 0.60, 0.66, 0.61),
        _box(LIGHT, 0.40, 0.36, 0.60, 0.38),
    ),
    "boot": (
        _Polygon(INK, ((0.34, 0.26), (0.54, 0.26), (0.55, 0.54), (0.76, 0.62), (0.80, 0.74))),
        _Polygon(INK, ((0.34, 0.26), (0.80, 0.74), (0.31, 0.74))),
        _box(DARK, 0.29, 0.74, 0.82, 0.80),
        *(_box(LIGHT, 0.44, 0.34 + n * 0.07, 0.56, 0.35 + n * 0.07) for n in range(4)),
    ),
    "tent": (
        _Polygon(DARK, ((0.56, 0.26), (0.90, 0.74), (0.44, 0.74))),
        _Polygon(INK, ((0.50, 0.24), (0.78, 0.76), (0.12, 0.76))),
        _Polygon(SHADOW, ((0.46, 0.44), (0.56, 0.76), (0.34, 0.76))),
        _Polygon(LIGHT, ((0.46, 0.44), (0.50, 0.76), (0.46, 0.76))),
    ),
    "bottle": (
        _box(DARK, 0.44, 0.20, 0.56, 0.28),
        _Ellipse(INK, (0.50, 0.36), (0.13, 0.09)),
        _box(INK, 0.37, 0.36, 0.63, 0.80),
        _box(LIGHT, 0.37, 0.48, 0.63, 0.64),
        _Ellipse(DARK, (0.50, 0.56), (0.05, 0.05)),
    ),
    "cup": (
        _Ellipse(DARK, (0.70, 0.52), (0.12, 0.11)),
        _Ellipse(LIGHT, (0.70, 0.52), (0.07, 0.065)),
        _Polygon(INK, ((0.28, 0.40), (0.70, 0.40), (0.64, 0.72), (0.34, 0.72))),
        _Ellipse(DARK, (0.49, 0.40), (0.21, 0.045)),
        _Ellipse(SHADOW, (0.46, 0.77), (0.26, 0.03)),
    ),
    "tin": (
        _box(INK, 0.32, 0.32, 0.68, 0.78),
        _Ellipse(INK, (0.50, 0.78), (0.18, 0.04)),
        _Ellipse(DARK, (0.50, 0.31), (0.19, 0.05)),
        _Ellipse(INK, (0.50, 0.29), (0.05, 0.03)),
        _Ellipse(LIGHT, (0.50, 0.56), (0.12, 0.13)),
        _Polygon(DARK, ((0.50, 0.47), (0.56, 0.57), (0.50, 0.65), (0.44, 0.57))),
    ),
    "teapot": (
        _Polygon(DARK, ((0.24, 0.38), (0.31, 0.38), (0.40, 0.62), (0.34, 0.66))),
        _Ellipse(DARK, (0.70, 0.53), (0.13, 0.13)),
        _Ellipse(LIGHT, (0.70, 0.53), (0.08, 0.085)),
        _Ellipse(INK, (0.51, 0.56), (0.21, 0.18)),
        _Ellipse(DARK, (0.51, 0.40), (0.11, 0.03)),
        _Ellipse(INK, (0.51, 0.36), (0.03, 0.03)),
    ),
    "kayak": (
        _Ellipse(SHADOW, (0.50, 0.72), (0.38, 0.03)),
        _Polygon(INK, ((0.08, 0.52), (0.92, 0.52), (0.76, 0.66), (0.24, 0.66))),
        _Ellipse(DARK, (0.50, 0.53), (0.12, 0.04)),
        _Polygon(LIGHT, ((0.22, 0.34), (0.25, 0.32), (0.78, 0.60), (0.76, 0.62))),
        _Ellipse(LIGHT, (0.21, 0.32), (0.06, 0.04)),
    ),
}


def drawn(picture: Picture, width: int = 0, height: int = 0) -> bytes:
    """The picture as PNG, at its own size or at the one asked for."""
    return _png(picture, width or picture.width, height or picture.height)


@lru_cache(maxsize=256)
def _png(picture: Picture, width: int, height: int) -> bytes:
    lines = b"".join(b"\0" + bytes(_line(picture, y, width, height)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = bytes(part for colour in _palette(picture) for part in colour)
    chunks = (b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _line(picture: Picture, y: int, width: int, height: int) -> bytearray:
    """One line of pixels. The drawing is in the middle, as large as the shorter side."""
    side = min(width, height)
    left, up = (width - side) // 2, (y + 0.5 - (height - side) / 2) / side
    line = bytearray([y * SHADES // height]) * width
    for shape in DRAWINGS[picture.subject]:
        for begin, end in shape.spans(up):
            a, b = left + round(begin * side), left + round(end * side)
            line[a:b] = bytes([shape.tone]) * (b - a)
    return line


def _palette(picture: Picture) -> Iterator[Colour]:
    """The shades of the ground, then the tones of the drawing."""
    light = 0.72 + 0.06 * (picture.version % 4)
    for shade in range(SHADES):
        yield _mixed(picture.colour, WHITE, light - 0.42 * shade / SHADES)
    yield from (
        _mixed(picture.colour, BLACK, 0.55),
        _mixed(picture.colour, BLACK, 0.12),
        _mixed(picture.colour, WHITE, 0.86),
        _mixed(picture.colour, BLACK, 0.78),
    )


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
