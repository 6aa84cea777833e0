"""`ConfigError`: what is wrong with how fbinsights was set up or called."""

from __future__ import annotations

__all__ = ["ConfigError", "UnreachableDagsterError"]


class ConfigError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""


class UnreachableDagsterError(ConfigError):
    """Dagster's home or database cannot be used. The text says why, and what to check."""
