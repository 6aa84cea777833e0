"""The keys of a Parquet footer, read from the end of a file without decoding the rest.

A footer is a structure of Thrift's compact protocol, and most of it is about columns. Libraries
decode all of it: 60 us for a file of 31 columns and 190 us for one of 111, which is a fifth of what
it costs to publish a small file. Its keys alone take 15 us. Where a footer looks different from
what Arrow writes, nothing is said, and a library must read it.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["End", "read_end"]

#: What a Parquet file ends with, after the four bytes that say how long its footer is.
_MAGIC: Final = b"PAR1"

#: Read at once: the whole footer of most files.
_TAIL_BYTES: Final = 32_768

#: The head of a field that comes one after the field before it, if it is text; the end of fields.
_TEXT, _STOP = 0x18, 0x00

#: The list of keys, up to its first one: the head of a field that is a list, and of up to 14
#: structures, as many as four bits say; then their first field, with its length.
_KEYS: Final = re.compile(
    rb"\x19([\x1c\x2c\x3c\x4c\x5c\x6c\x7c\x8c\x9c\xac\xbc\xcc\xdc\xec])"
    rb"(?=\x18.(?:fbinsights\.|ARROW:))",
    re.DOTALL,
)

#: Of each byte of a length, the lowest first: these bits are the number's, the other one says that
#: there are more.
_SEVEN_BITS: Final = 0x7F


class End(NamedTuple):
    """The end of a file: all keys of its footer, and where in the file the footer begins."""

    keys: Mapping[bytes, bytes]
    footer_at: int


def read_end(path: Path) -> End | None:
    """The end of a file; None if it is not as Arrow writes one of ours. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL_BYTES, max(size - _TAIL_BYTES, 0))
        length = int.from_bytes(tail[-8:-4], "little") + 8
        if length > size or not tail.endswith(_MAGIC):
            return None
        if length > len(tail):
            tail = os.pread(descriptor, length, size - length)
    finally:
        os.close(descriptor)
    keys = _keys_in(tail[-length:-8])
    return None if keys is None else End(keys, size - length)


def _keys_in(footer: bytes) -> Mapping[bytes, bytes] | None:
    """All keys with their values; None unless there are as many as the head of the list says."""
    if (head := _KEYS.search(footer)) is None:
        return None
    keys, at = {}, head.end()
    try:
        for _ in range(head[1][0] >> 4):
            key, at = _text_at(footer, at)
            keys[key], at = _text_at(footer, at)
            if footer[at] != _STOP:
                return None
            at += 1
    except (IndexError, ValueError):
        return None
    return keys


def _text_at(footer: bytes, at: int) -> tuple[bytes, int]:
    """The text of a field that begins there, and where it ends. Raises IndexError, ValueError."""
    if footer[at] != _TEXT:
        raise ValueError
    length = shift = 0
    more = True
    while more:
        at += 1
        length |= (footer[at] & _SEVEN_BITS) << shift
        shift, more = shift + 7, footer[at] > _SEVEN_BITS
    return footer[at + 1 : at + 1 + length], at + 1 + length
