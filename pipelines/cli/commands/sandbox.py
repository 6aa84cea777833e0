"""`fbinsights sandbox`: a Graph API on this machine."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import click

from fbgraph.sandbox import serve
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run_sandbox"]


def run_sandbox(port: int, seed: int, scenarios: Sequence[str], **options: Any) -> None:
    """Serve until Ctrl-C. `options` are those of `Sandbox`. Raises ConfigError for a port in use
    and for what there is not.
    """
    try:
        serve(port, seed, scenarios, _on_ready, **options)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ConfigError(
            f"port {port} is in use, maybe by another sandbox: stop that one, or add --port 0."
        ) from None
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _on_ready(url: str, token: str) -> None:
    click.echo(f"FB_GRAPH_URL={url}\nFB_ACCESS_TOKEN={token}")
    click.echo("Set these two, then run `fbinsights backfill`. Ctrl-C ends it.", err=True)
