"""`fbinsights init`: a project folder, or what one lacks."""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.exit_codes import ALL_DONE
from pipelines.cli.output.terminal import print_note
from pipelines.cli.summary import command_name
from pipelines.errors import ConfigError
from pipelines.project.folder import ENV_FILE, complete, contents, unignored
from pipelines.state.homes import require_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run_init"]


def run_init(folder: Path) -> int:
    """Make the folder and its files. A file that is there stays as it is. Raises ConfigError where
    the folder is something else, and OSError where it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder. Name a new one, or one that exists.")
    require_usable(folder.resolve())
    done = complete(folder, contents(secrets.token_hex(16)))
    for name in done.made:
        click.echo(f"made    {name}")
    for name in done.kept:
        click.echo(f"exists  {name}")
    for line in _closing(folder, done.made, unignored(folder)):
        print_note(line)
    return ALL_DONE


def _closing(folder: Path, made: Sequence[str], unignored_lines: Sequence[str]) -> Sequence[str]:
    """What is left to do: about git, and to load the first days."""
    lines = []
    if unignored_lines:
        lines += [f"\n.gitignore lacks: {', '.join(unignored_lines)}. Add them before you commit."]
    if not made:
        return [*lines, f"\n{folder.resolve()} has everything already."]
    here = command_name(os.fspath(folder))
    enter = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(os.fspath(folder))}"]
    steps = {
        f"put the token of a system user, with the scope ads_read, into {ENV_FILE}": (
            *enter,
            f"${{EDITOR:-vi}} {ENV_FILE}",
        ),
        "check the token, each account and the warehouse": (f"{here} doctor",),
        "see what some days would cost, and load them": (
            f"{here} plan --since DAY --until DAY",
            f"{here} backfill --since DAY --until DAY",
        ),
        "open Dagster, where a click loads one day of one account": (f"{here} dev",),
    }
    lines += [f"\n{folder.resolve()} is a project folder. Next, in it:"]
    for number, (what, commands) in enumerate(steps.items(), 1):
        lines += [f"{number}. {what}:", *(f"     {command}" for command in commands)]
    return [*lines, f"Ready reports: `{here} add`. Without a token: `{here} demo`."]
