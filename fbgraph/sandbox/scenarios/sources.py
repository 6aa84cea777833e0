"""Public sources of what scenarios imitate.

A name with # is an issue of Meta's SDKs or of a public connector.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "BATCH",
    "CODES",
    "HANDLING",
    "PAGING",
    "PRACTICE",
    "RATE_LIMITS",
    "READ_TOO_EARLY",
    "TRANSIENT",
    "VERSIONING",
]

HANDLING: Final = "Graph API, Handle errors"
RATE_LIMITS: Final = "Graph API, Rate limiting; Marketing API, Rate limiting"
PAGING: Final = "Graph API, Paginated results"
CODES: Final = "Insights API, Error codes"
PRACTICE: Final = "Insights API, Best practices"
BATCH: Final = "Graph API, Batch requests"
VERSIONING: Final = "Graph API, Versioning"
READ_TOO_EARLY: Final = "facebook-python-business-sdk #293, #405"
TRANSIENT: Final = "airbyte-source-facebook-marketing"
