"""`ConfigError`: what is wrong with how fbinsights was set up or called; and what stops a load."""

from __future__ import annotations

from typing import Final

from fbgraph.errors import ENDS_EVERYTHING
from warehouse.errors import DISK_FULL, FullDiskError

__all__ = ["STOPS_A_LOAD", "ConfigError", "UnreachableDagsterError", "why_full"]


class ConfigError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""


class UnreachableDagsterError(ConfigError):
    """Dagster's home or database cannot be used. The text says why, and what to check."""


#: Errors that are about no single account-day: nothing else would fare better.
STOPS_A_LOAD: Final = (*ENDS_EVERYTHING, ConfigError, FullDiskError)


def why_full(error: OSError) -> str:
    """What to say of a full disk where it raises no FullDiskError, as for small files next to the
    lake; "" for any other error.
    """
    advice = DISK_FULL.get(error.errno or 0, "")
    what = f"Cannot write {error.filename}" if error.filename else "Cannot write"
    return advice and (
        f"{what}: {error.strerror}. {advice[0].upper()}{advice[1:]}, then run the same again;"
        " `fbinsights doctor` checks the disk of the warehouse."
    )
