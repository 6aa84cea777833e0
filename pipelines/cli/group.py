"""How commands end: with one line for an error of ours; where they may be run, and the reports that
there are.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from pipelines.cli.exit_codes import INTERRUPTED, SOME_FAILED, WRONG_USE
from pipelines.cli.output.json_lines import print_json, total_line
from pipelines.cli.output.streams import why_incomplete
from pipelines.escaping import escaped
from pipelines.interrupts import what_ctrl_c_cost

if TYPE_CHECKING:
    from pipelines.reports.catalog import Reports

__all__ = ["Commands", "GuardedCommand", "fail", "reports_here", "run_typed"]

#: Commands that need no project folder, or make one.
_ANYWHERE = {"init", "demo", "sandbox", "docs"}


class GuardedCommand(click.Command):
    """A command that ends with one line for an error of ours, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from fbgraph.errors import GraphError  # noqa: PLC0415  # --help stays quick
        from pipelines.errors import ConfigError, why_full  # noqa: PLC0415
        from warehouse.errors import FullDiskError, WarehouseError  # noqa: PLC0415

        try:
            if ctx.info_name not in _ANYWHERE:
                _require_project_here()
            return super().invoke(ctx)
        except (ConfigError, GraphError, WarehouseError, FullDiskError) as error:
            message, code = str(error), WRONG_USE
        except OSError as error:
            of_file = f"Cannot use {error.filename}: {error.strerror}." if error.filename else ""
            message, code = why_full(error) or of_file or str(error), WRONG_USE
        except KeyboardInterrupt:
            message, code = what_ctrl_c_cost(), INTERRUPTED
        if ctx.params.get("is_json"):
            print_json(total_line(str(ctx.info_name), code, error=message))
        return fail(message, code)


class Commands(click.Group):
    """The group of all commands."""

    command_class = GuardedCommand


def fail(message: str, code: int = WRONG_USE) -> NoReturn:
    """Print on stderr what is wrong and exit."""
    for line in f"fbinsights: {message}".split("\n"):
        click.echo(escaped(line), err=True)
    sys.exit(code)


def run_typed(group: click.Group) -> None:
    """Run what was typed. It ends by SystemExit, with an error if its output is incomplete."""
    try:
        group(prog_name="fbinsights")
    except SystemExit as ended:
        if why := why_incomplete():
            fail(why, int(ended.code or SOME_FAILED))
        raise


def _require_project_here() -> None:
    """Raise ConfigError in a folder of a project that is not its top: `./data` there would be
    another lake. With WAREHOUSE_URL in the environment it is clear which one is meant.
    """
    from pipelines.errors import ConfigError  # noqa: PLC0415
    from pipelines.state.homes import project_above  # noqa: PLC0415

    above = project_above(Path.cwd())
    if above and not os.environ.get("WAREHOUSE_URL"):
        raise ConfigError(
            f"This is not a project folder; the one that it lies in is {above}. Run the command"
            " there, or make this folder one with `fbinsights init`."
        )


def reports_here(*, fit: bool = True) -> Reports:
    """All reports that exist. Read here, once, by the commands that need them. `fit`: whether they
    fit the tables of the lake is looked at too.
    """
    from pipelines.reports.catalog import reports_of  # noqa: PLC0415  # --help reads none
    from pipelines.settings import store_of  # noqa: PLC0415

    return reports_of(os.environ, store_of(os.environ) if fit else None)
