"""The fields that Meta has, for callers: `fbgraph.catalog.fields` under its public name."""

from __future__ import annotations

from fbgraph.catalog.fields import *  # noqa: F403  what is public there is public here
