"""`fbinsights mcp`: the published tables for agents, over stdin and stdout."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import click

from pipelines.errors import ConfigError
from pipelines.settings import settings_of
from warehouse.published.publish import LINK
from warehouse.storage.url import lake_root

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pipelines.agents.bounds import Bounds

__all__ = ["run_mcp"]

#: What no query needs: the server and its processes do not have them.
SECRETS: Final = ("FB_ACCESS_TOKEN", "FB_APP_SECRET", "FB_ALERT_WEBHOOK")


def run_mcp(environ: MutableMapping[str, str], bounds: Bounds, interrupted: int) -> None:
    """Serve until stdin ends, or Ctrl-C ends this process with the exit code `interrupted`. Raises
    ConfigError if the extra is not installed.
    """
    if find_spec("mcp") is None:
        raise ConfigError(
            "The package mcp is not installed. Install it: pip install 'fbinsights[mcp]'"
        )
    link = lake_root(settings_of(environ).warehouse_url).absolute() / LINK
    for secret in SECRETS:
        environ.pop(secret, None)
    from pipelines.agents.server import serve  # noqa: PLC0415  # after the check above

    for number in (signal.SIGINT, signal.SIGTERM):
        # Nothing is ever half done, and a thread that waits for stdin holds up any other end.
        signal.signal(number, lambda *_: os._exit(interrupted))
    if not link.exists():
        click.echo(f"fbinsights: nothing has been published at {link} yet.", err=True)
    serve(link, bounds)
