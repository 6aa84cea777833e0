"""Opens Dagster's instance, the one that its pages show, for a command."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import yaml

from pipelines.errors import ConfigError
from pipelines.state.homes import CHECKOUT, require_home
from warehouse.storage.atomic import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warehouse.storage.store import Store

__all__ = ["is_there", "open_instance"]

#: The checkout's `dagster.yaml` with its folders named from the root of the disk.
_ABSOLUTE: Final = "command_line.yaml"


@contextmanager
def open_instance(environ: Mapping[str, str], store: Store) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance: that of DAGSTER_HOME, else the checkout's own, in its folder .dagster.

    The checkout's `dagster.yaml` names that folder relative to where Dagster is started; here it is
    the same from everywhere. Raises ConfigError for a home that shows another lake than that of the
    `store`, and for one that cannot be opened.
    """
    home = _home_of(environ)
    state = CHECKOUT / ".dagster" if home == CHECKOUT else home
    # Two that start first at the same time would both create Dagster's database, and corrupt it.
    with locked(state):
        if home == CHECKOUT and (home / "dagster.yaml").exists():
            written = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8")) or {}
            (state / _ABSOLUTE).write_text(yaml.safe_dump(_absolute(written)), encoding="utf-8")
            opened = dg.DagsterInstance.from_config(str(state), _ABSOLUTE)
        else:
            opened = dg.DagsterInstance.from_config(str(state))
    with opened as instance:
        require_home(instance, store)
        yield instance


def is_there(environ: Mapping[str, str]) -> bool:
    """Whether Dagster, or a command that loads, has been used with this home."""
    return bool(environ.get("DAGSTER_HOME")) or (CHECKOUT / ".dagster").is_dir()


def _home_of(environ: Mapping[str, str]) -> Path:
    """The folder that DAGSTER_HOME names, else the checkout. Raises ConfigError."""
    home = Path(environ.get("DAGSTER_HOME") or CHECKOUT).expanduser()
    if not (home.is_absolute() and home.is_dir()):
        raise ConfigError(
            f"DAGSTER_HOME must be the absolute path of an existing folder, not '{home}'."
        )
    return home.resolve()


def _absolute(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Dagster's settings with each relative `base_dir` as a folder of the checkout."""
    return {
        key: str(CHECKOUT / value)
        if key == "base_dir" and isinstance(value, str)
        else _absolute(value)
        if isinstance(value, dict)
        else value
        for key, value in settings.items()
    }
