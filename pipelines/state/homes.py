"""Dagster homes: each shows the grid of one lake, because the grid of another in it would be wrong
about both. A project folder has its own home, `.dagster`, and Dagster reads its settings there: a
link to the folder's `dagster.yaml`.

Which lake it is, the home's own storage knows, so that all who share a Postgres share it. A home
that shows none yet, as those of earlier versions, takes the first lake it meets. A lake may move:
it is recognized by its id (`warehouse.lake.identity`), or by its place if it was begun again. A
copy has the same id: a lake counts as moved only if it is gone from where it was.

A command opens Dagster when it has loaded. A copy in a small file of the home tells it, without
Dagster, whether to ask the storage before it loads.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from pipelines.errors import ConfigError
from warehouse.errors import WarehouseError
from warehouse.lake.identity import KEY, identity_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dagster as dg

    from warehouse.storage.store import Store

__all__ = [
    "FOLDER_VARIABLE",
    "SETTINGS",
    "STATE",
    "Shown",
    "enter_folder",
    "hidden_history",
    "home_of",
    "is_same",
    "keep_prefix",
    "prepare",
    "project_above",
    "require_home",
    "require_prefix",
    "require_usable",
    "seems_to_show_another",
    "sends_telemetry",
    "settings_folder",
    "settings_in",
    "why_another",
    "with_absolute_folders",
]

#: Dagster takes the path of its settings for a pattern, and those of its databases for URLs: with
#: one of these in it, it would find no settings, or those of another folder.
_SIGNS: Final = re.compile(r"[][*?%]")

#: In a project folder: Dagster's settings, and its home.
SETTINGS: Final = "dagster.yaml"
STATE: Final = ".dagster"

#: Where `fbinsights dev` was started: for the processes that Dagster starts, which it starts in its
#: home. Started in the folder, they would let its `.env` win over the environment.
FOLDER_VARIABLE: Final = "FBINSIGHTS_FOLDER"

#: How settings begin that are made from those of the project.
_MADE: Final = f"# Made from ../{SETTINGS}, with its folders in full. Edit that one.\n"

CURSOR_KEY: Final = "fbinsights/lake"

#: Where a home's storage has the prefix of the keys of its assets.
PREFIX_KEY: Final = "fbinsights/key_prefix"

#: The copy of what a home's storage says, in the folder of its state.
NOTE: Final = "fbinsights_lake.json"


class Shown(NamedTuple):
    """The lake of a home: its id, "" if nothing was ever loaded, and where it is."""

    lake_id: str
    place: str


def is_same(known: Shown, met: Shown, *, is_still_there: bool) -> bool:
    """Whether a home that shows one lake may show the other: it was moved, or begun again.
    `is_still_there`: the known one is where it was, so that the other is a copy of it.
    """
    was_moved = "" != met.lake_id == known.lake_id and not is_still_there
    return met.place == known.place or was_moved


def home_of(environ: Mapping[str, str]) -> Path:
    """The folder that DAGSTER_HOME names, else `.dagster` in the folder where the command runs,
    which need not be there yet. Raises ConfigError, also where that is not a folder.

    A project folder in DAGSTER_HOME means its `.dagster`: until 0.1.0 it was written so.
    """
    named = environ.get("DAGSTER_HOME")
    if not named:
        home = require_usable((Path.cwd() / STATE).resolve())
        if home.exists() and not home.is_dir():
            raise ConfigError(
                f"{home} is not a folder, and Dagster keeps its history in a folder of this name."
                " Move it away, then run the command again."
            )
        return home
    home = Path(named).expanduser()
    if not (home.is_absolute() and home.is_dir()):
        raise ConfigError(
            f"DAGSTER_HOME must be the absolute path of an existing folder, not '{home}'."
        )
    home = require_usable(home.resolve())
    return home / STATE if is_project_with_state(home) else home


def require_usable(folder: Path) -> Path:
    """The folder, if Dagster can have its home there. Raises ConfigError."""
    if signs := " and ".join(sorted(set(_SIGNS.findall(str(folder))))):
        raise ConfigError(
            f"Dagster cannot work in {folder}: it does not take {signs} in a path literally. Rename"
            " the folder, or use another."
        )
    return folder


def project_above(folder: Path) -> Path | None:
    """The project folder that a folder lies in, if it is not one itself."""
    if (folder / SETTINGS).exists():
        return None
    return next((above for above in folder.parents if (above / SETTINGS).exists()), None)


def is_project_with_state(folder: Path) -> bool:
    """Whether Dagster's history is in the folder's `.dagster` and not in the folder itself."""
    is_project = (folder / SETTINGS).is_file() and (folder / STATE).is_dir()
    return is_project and not (folder / "history").exists()


def enter_folder(environ: Mapping[str, str]) -> None:
    """Work in the folder in which `fbinsights dev` was started, as all commands do."""
    if folder := environ.get(FOLDER_VARIABLE):
        os.chdir(folder)


def hidden_history(environ: Mapping[str, str]) -> str:
    """What to say where Dagster's own processes were started with DAGSTER_HOME=<project>, as it was
    written until 0.1.0: they begin a second history next to that in `.dagster`. Empty otherwise.
    """
    home = Path(environ.get("DAGSTER_HOME") or "/")
    if not all((path / "history").is_dir() for path in (home, home / STATE)):
        return ""
    return (
        f"DAGSTER_HOME is {home}, and there is another history of Dagster in {home / STATE}. To see"
        f" that one, set DAGSTER_HOME={home / STATE} and start Dagster again."
    )


def prepare(home: Path) -> None:
    """Let the home of a project have the settings of its project; its own stay if it has some. What
    runs printed until 0.1.0 moves to where Dagster looks for it, unless its settings name a folder.
    """
    if settings_folder(home) != home:
        _take_settings(home)
    old, new = home / "logs", home / "storage"
    if old.is_dir() and "compute_logs" not in settings_in(home):
        new.mkdir(exist_ok=True)
        for of_run in old.iterdir():
            if not (new / of_run.name).exists():
                of_run.rename(new / of_run.name)


def settings_folder(home: Path) -> Path:
    """Where the `dagster.yaml` of a home is to be edited: its project's folder, or the home itself,
    if it is not a project's or has settings of its own.
    """
    own = home / SETTINGS
    has_own = os.path.lexists(own) and not own.is_symlink() and not _noted(own).startswith(_MADE)
    is_projects = home.name == STATE and (home.parent / SETTINGS).is_file()
    return home.parent if is_projects and not has_own else home


def _take_settings(home: Path) -> None:
    """A link; but until 0.1.0 settings named folders relative to where Dagster is started: then a
    copy in which they are those of the project's folder.
    """
    own, written = home / SETTINGS, settings_in(home.parent)
    absolute = with_absolute_folders(written, home.parent)
    aside = home / f"{SETTINGS}.{os.getpid()}"
    if absolute == written:
        aside.symlink_to(Path("..", SETTINGS))
    else:
        aside.write_text(_MADE + yaml.safe_dump(absolute), encoding="utf-8")
    aside.replace(own)


def sends_telemetry(settings: Mapping[str, Any]) -> bool:
    """Dagster does unless its settings say otherwise."""
    telemetry = settings.get("telemetry")
    return not (isinstance(telemetry, dict) and telemetry.get("enabled") is False)


def with_absolute_folders(settings: Mapping[str, Any], home: Path) -> Mapping[str, Any]:
    """Dagster's settings with each relative `base_dir` as a folder of `home`."""
    return {
        key: str(home / value)
        if key == "base_dir" and isinstance(value, str)
        else with_absolute_folders(value, home)
        if isinstance(value, dict)
        else value
        for key, value in settings.items()
    }


def settings_in(home: Path) -> Mapping[str, Any]:
    """The settings that Dagster reads in a home; empty if there are none. Raises yaml.YAMLError."""
    text = _noted(home / SETTINGS)
    written = yaml.safe_load(text)
    return written if isinstance(written, dict) else {}


def seems_to_show_another(environ: Mapping[str, str], store: Store) -> bool:
    """Whether a home shows another lake, by the copy: its storage knows. Raises ConfigError where
    the home is not a folder.
    """
    return bool(why_another(home_of(environ), store))


def why_another(home: Path, store: Store) -> str:
    """Why a lake does not belong to a home, by the copy; empty if nothing is known of that."""
    known = _read(_noted(home / NOTE))
    return "" if known is None else _refusal(known, store, home)


def require_home(instance: dg.DagsterInstance, store: Store) -> None:
    """Raise ConfigError if a home shows another lake; otherwise keep which one it shows."""
    met, home = _met(store), Path(instance.root_directory)
    storage = instance.daemon_cursor_storage
    known = _read(storage.get_cursor_values({CURSOR_KEY}).get(CURSOR_KEY, ""))
    if known is not None and (why := _refusal(known, store, home)):
        raise ConfigError(why)
    if met.lake_id:
        kept = json.dumps(met._asdict())
        if met != known:
            storage.set_cursor_values({CURSOR_KEY: kept})
        _note(home / NOTE, kept)


def keep_prefix(instance: dg.DagsterInstance, prefix: Sequence[str]) -> None:
    """Keep the prefix of the keys of a home's assets. Runs do, for they know: they are of the
    project that defines the assets.
    """
    if prefix != _kept_prefix(instance):
        kept = json.dumps([*prefix])
        instance.daemon_cursor_storage.set_cursor_values({PREFIX_KEY: kept})


def require_prefix(instance: dg.DagsterInstance, prefix: Sequence[str]) -> None:
    """Raise ConfigError if the assets of a home have another prefix: a command outside the project
    that defines them would report others. Keeps it where a home knows none.
    """
    known = _kept_prefix(instance)
    if known is None:
        keep_prefix(instance, prefix)
    elif known != tuple(prefix):
        there, here = ("/".join((*some, "lake")) for some in (known, prefix))
        raise ConfigError(
            f"The Dagster home {instance.root_directory} has the asset {there}, and this command"
            f" would report {here}: it reads other"
            " components. Start it in the folder of the Dagster project, or set FB_REPORTS to that"
            " folder. If the project's key_prefix has changed, materialize `accounts` there once."
        )


def _kept_prefix(instance: dg.DagsterInstance) -> tuple[str, ...] | None:
    kept = instance.daemon_cursor_storage.get_cursor_values({PREFIX_KEY}).get(PREFIX_KEY)
    with suppress(ValueError, TypeError):
        return tuple(map(str, json.loads(kept or "")))
    return None


def _refusal(known: Shown, store: Store, home: Path) -> str:
    """Why a home that shows a known lake cannot show that of the store, with what to do; "" if it
    can.
    """
    met = _met(store)
    is_copied = "" != met.lake_id == known.lake_id and _is_other_file(known, store)
    if is_same(known, met, is_still_there=is_copied):
        return ""
    copied = (
        " The second is a copy of the first, which still exists. If you have moved the lake,"
        f" remove {known.place}."
    )
    return (
        f"The Dagster home {home} shows what is loaded in {known.place}, and WAREHOUSE_URL is"
        f" {met.place}: one grid cannot show two lakes.{copied if is_copied else ''} Set"
        " WAREHOUSE_URL back, or give this lake a project folder of its own (`fbinsights init"
        " DIR`). Without one, set DAGSTER_HOME to a folder of its own; with Postgres, give Dagster"
        " a database of its own."
    )


def _is_other_file(known: Shown, store: Store) -> bool:
    """Whether the known lake is where it was, with its id, and is not the same under another name,
    as through a second mount.
    """
    with suppress(WarehouseError, OSError):
        there = open_store(known.place)
        identity = identity_of(there)
        is_there = identity is not None and identity.lake_id == known.lake_id
        roots = there.duckdb_root, store.duckdb_root
        is_one = all(roots) and (there.root / KEY).samefile(store.root / KEY)
        return is_there and not is_one
    return False


def _met(store: Store) -> Shown:
    """The lake that a home meets. Raises ConfigError where it cannot be read."""
    try:
        identity = identity_of(store)
    except WarehouseError as error:
        raise ConfigError(str(error)) from None
    return Shown(identity.lake_id if identity else "", store.name())


def _read(text: str) -> Shown | None:
    with suppress(ValueError, TypeError):
        return Shown(**json.loads(text))
    return None


def _noted(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""


def _note(path: Path, text: str) -> None:
    if _noted(path) != text:
        with suppress(OSError):  # then the next command asks the storage at its end alone
            aside = path.with_name(f"{path.name}.{os.getpid()}")
            aside.write_text(text, encoding="utf-8")
            aside.replace(path)
