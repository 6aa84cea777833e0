"""`ConfigError`: what is wrong with how fbinsights was set up or called."""

from __future__ import annotations

__all__ = ["ConfigError"]


class ConfigError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""
