"""Warnings about the API version that served a response, logged once each."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from fbgraph.catalog.versions import READ_ON, supported

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["warn"]

_log = logging.getLogger(__name__)

#: Warnings given so far. They are about the program's configuration, so once per process is right.
_given: set[str] = set()
_giving: Final = threading.Lock()


def warn(requested: str, headers: Mapping[str, str]) -> None:
    """Warn, once per process, if a version other than the `requested` one served a response.

    Sources: headers ``facebook-api-version`` and ``X-Ad-Api-Version-Warning`` (Versioning).
    """
    served = headers.get("facebook-api-version", "")
    is_other = served not in ("", requested)
    if is_other:
        _once(f"Requested API {requested} but {served} answered. Set FB_API_VERSION={served}.")
    if warning := headers.get("x-ad-api-version-warning"):
        advice = "" if is_other else f" Set FB_API_VERSION to {supported(READ_ON)}."
        _once(f"Meta warns: {warning}{advice}")


def _once(text: str) -> None:
    with _giving:
        new = text not in _given
        _given.add(text)
    if new:
        _log.warning("%s", text)
