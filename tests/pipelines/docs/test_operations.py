"""docs/operations.md names what there is, and its commands are commands."""

from __future__ import annotations

import re
from pathlib import Path

import click

from pipelines.cli.main import cli
from pipelines.definitions import defs

DOC = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_schedule_sensor_and_check_is_explained() -> None:
    repository = defs.get_repository_def()
    names = {
        *(schedule.name for schedule in repository.schedule_defs),
        *(sensor.name for sensor in repository.sensor_defs),
        *(key.name for key in defs.resolve_asset_graph().asset_check_keys),
    }

    assert {name for name in names if f"`{name}`" not in DOC} == set()


def test_every_command_and_option_that_is_shown_exists() -> None:
    shown = re.findall(r"`[^`]*fbinsights ([a-z]+)((?: --[a-z]+)*)", DOC)
    options = {
        name: {option for param in command.params for option in param.opts}
        for name, command in cli.commands.items()
        if isinstance(command, click.Command)
    }

    assert len(shown) > 8
    for name, given in shown:
        assert set(given.split()) <= options[name]
