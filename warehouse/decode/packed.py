"""Objects that wait until all of a listing are there, packed: 20,000 creatives are 110 MB as Python
values, and a twentieth of that here.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PackedObjects"]

#: Fastest: what is packed is unpacked soon.
_LEVEL: Final = 1


class PackedObjects(Sequence[object]):
    """Objects as JSON has them, each once by its `key`: if one came twice, as it came last. Those
    whose key is "" are all different. Going through them unpacks a page at a time.
    """

    def __init__(self, key: Callable[[object], str], objects: Sequence[object] = ()) -> None:
        self._key = key
        self._pages: list[bytes] = []
        self._last: dict[object, tuple[int, int]] = {}
        if objects:
            self.add(objects)

    def add(self, page: Sequence[object]) -> None:
        """Add a page of objects."""
        for at, one in enumerate(page):
            where = (len(self._pages), at)
            self._last[self._key(one) or where] = where
        self._pages.append(zlib.compress(pickle.dumps([*page]), _LEVEL))

    def __len__(self) -> int:
        return len(self._last)

    def __iter__(self) -> Iterator[object]:
        last = {*self._last.values()}
        for number, packed in enumerate(self._pages):
            page = pickle.loads(zlib.decompress(packed))  # noqa: S301  our own, from memory
            yield from (one for at, one in enumerate(page) if (number, at) in last)

    @overload
    def __getitem__(self, at: int) -> object: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[object]: ...
    def __getitem__(self, at: int | slice) -> object | Sequence[object]:
        if isinstance(at, slice):
            return list(self)[at]
        found = [*islice(self, at % len(self), at % len(self) + 1)] if self else []
        if not found or not -len(self) <= at < len(self):
            raise IndexError(at)
        return found[0]
