"""Versions of the Marketing API, and what answers say about the one that served.

Source: Graph API, Versioning (Marketing API versions). Where the end of life is not announced a
version lives; a newer one may exist that this table does not know.
"""

from __future__ import annotations

import logging
import threading
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["END_OF_LIFE", "LATEST", "living", "tell"]

#: version → the day on which ads endpoints stop answering to it; None: not announced.
END_OF_LIFE: Final[Mapping[str, date | None]] = {
    "v21.0": date(2025, 9, 9),
    "v22.0": date(2026, 2, 19),
    "v23.0": date(2026, 6, 9),
    "v24.0": date(2026, 10, 6),
    "v25.0": None,
    "v26.0": None,
}

#: The newest version that this client was built to.
LATEST: Final = "v26.0"

_log = logging.getLogger(__name__)

#: Warnings given so far. They are about the program's configuration, so once per process is right.
_told: set[str] = set()
_telling = threading.Lock()


def living() -> list[str]:
    """The versions that live as far as is known, oldest first."""
    return [version for version, end in END_OF_LIFE.items() if end is None]


def tell(asked: str, headers: Mapping[str, str]) -> None:
    """Warn, once per process, of an answer that another version served than the one `asked` for.

    Sources: headers ``facebook-api-version`` and ``X-Ad-Api-Version-Warning`` (Versioning).
    """
    served = headers.get("facebook-api-version", "")
    is_other = served not in ("", asked)
    if is_other:
        _once(f"Asked for API {asked}, served by {served}: set FB_API_VERSION to it.")
    if warning := headers.get("x-ad-api-version-warning"):
        advice = "" if is_other else f" Set FB_API_VERSION to one of {', '.join(living())}."
        _once(f"Meta says: {warning}{advice}")


def _once(text: str) -> None:
    with _telling:
        new = text not in _told
        _told.add(text)
    if new:
        _log.warning("%s", text)
