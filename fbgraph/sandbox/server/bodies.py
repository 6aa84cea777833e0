"""Bodies of requests: a form, a multipart form with files, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from fbgraph.sandbox.protocol.messages import Upload, read_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["read_body", "read_fields"]

#: Parts of a multipart body, and bytes of one without a file name.
MOST_PARTS: Final = 1000
LARGEST_PART: Final = 100_000_000


async def read_body(request: Request) -> tuple[Mapping[str, str], Mapping[str, Upload]]:
    """The parameters and files of a body, in whichever of three ways it is written."""
    body = await request.body()
    if "multipart/form-data" not in request.headers.get("content-type", ""):
        return read_fields(request, body), {}
    try:
        parts = await request.form(max_files=MOST_PARTS, max_part_size=LARGEST_PART)
    except HTTPException:
        return {}, {}  # a broken body says nothing, and the parameters that it lacks are missed
    texts = {name: part for name, part in parts.items() if isinstance(part, str)}
    files = {
        name: Upload(part.filename or "", await part.read())
        for name, part in parts.items()
        if not isinstance(part, str)
    }
    await parts.close()
    return texts, files


def read_fields(request: Request, body: bytes) -> dict[str, str]:
    """A form body, or the top level of a JSON one."""
    if not body:
        return {}
    if "json" not in request.headers.get("content-type", ""):
        return read_form(body.decode("utf-8", "replace"))
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in items if v is not None}
