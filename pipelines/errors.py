"""`ConfigError`: what is wrong with how fbinsights was set up or called; and what stops a load."""

from __future__ import annotations

from typing import Final

from fbgraph.errors import ENDS_EVERYTHING
from warehouse.errors import FullDiskError

__all__ = ["STOPS_A_LOAD", "ConfigError", "UnreachableDagsterError"]


class ConfigError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""


class UnreachableDagsterError(ConfigError):
    """Dagster's home or database cannot be used. The text says why, and what to check."""


#: Errors that are about no single account-day: nothing else would fare better.
STOPS_A_LOAD: Final = (*ENDS_EVERYTHING, ConfigError, FullDiskError)
