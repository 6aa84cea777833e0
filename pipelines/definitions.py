"""What Dagster loads, for its pages and its daemon."""

from __future__ import annotations

from typing import Final

from pipelines.jobs import definitions

__all__ = ["defs"]

defs: Final = definitions()
