"""JSON, whatever is in it: one value that Python cannot hold must not cost all others.

Python refuses whole numbers of more than 4,300 digits, and values that nest about a thousand deep
in all; functions that go through a value by calling themselves give up earlier, and the more so the
deeper they were called. Real objects of Meta's nest some ten deep.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
from typing import Any, Final

__all__ = ["DEEPEST", "loads", "too_deep"]

_log = logging.getLogger(__name__)

#: How deep a value may nest. What is deeper is NaN, which nobody takes for a value of Meta's.
DEEPEST: Final = 100

#: Texts, so that brackets in them do not count, and brackets.
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def loads(body: bytes) -> Any:
    """The value in a body. A whole number of thousands of digits is a text, and what nests deeper
    than some hundreds is cut off. Raises ValueError for what is not JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(_cut_off(body), parse_int=_whole)
    except json.JSONDecodeError:
        raise
    except ValueError:  # too many digits, or not text at all
        try:
            return json.loads(body, parse_int=_whole)
        except RecursionError:
            return json.loads(_cut_off(body), parse_int=_whole)


def too_deep() -> float:
    """The value in place of one that nests too deeply."""
    _log.warning("A value nests more than %d deep: what is deeper is read as NaN.", DEEPEST)
    return math.nan


def _whole(digits: str) -> int | str:
    most = sys.get_int_max_str_digits()
    return digits if 0 < most < len(digits) else int(digits)


def _cut_off(body: bytes) -> bytes:
    """A body with NaN in place of what nests too deeply."""
    parts: list[bytes] = []
    depth = kept = begins = 0
    for token in _TOKEN.finditer(body):
        if token[0] in {b"{", b"["}:
            depth += 1
            if depth == DEEPEST + 1:
                begins = token.start()
        elif token[0] in {b"}", b"]"}:
            if depth == DEEPEST + 1:
                parts += [body[kept:begins], json.dumps(too_deep()).encode()]
                kept = token.end()
            depth -= 1
    rest = body[kept:begins] if depth > DEEPEST else body[kept:]  # it never ends: not JSON
    return b"".join([*parts, rest])
