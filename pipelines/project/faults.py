"""What is wrong or doubtful about a project folder, without Dagster and without a request."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml
from dotenv.parser import parse_stream

from pipelines.errors import ConfigError
from pipelines.project.folder import ENV_FILE, TEMPLATES, unignored
from pipelines.reports.files import shown
from pipelines.settings import settings_of, wrong_settings
from pipelines.state.homes import (
    SETTINGS,
    STATE,
    hidden_history,
    home_of,
    sends_telemetry,
    settings_folder,
    settings_in,
    why_another,
)
from pipelines.variables import unknown_settings
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Findings", "findings_in"]

_OTHERS_MAY_READ: Final = 0o077


@dataclass(frozen=True, slots=True)
class Findings:
    """`faults` keep something from working as it should; `warnings` do not. `unknown`: variables in
    `.env` that have no effect, as a warning says.
    """

    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


def findings_in(folder: Path, environ: Mapping[str, str]) -> Findings:
    """About `.env`, Dagster's home and its settings, and whether home and lake belong together."""
    found = Findings()
    _look_at_env(folder / ENV_FILE, found)
    try:
        home = home_of(environ)
    except ConfigError as error:
        found.faults.append(str(error))
        return found
    if hidden := hidden_history(environ):
        found.warnings.append(hidden)
    is_project = (folder / SETTINGS).exists()
    if is_project or environ.get("DAGSTER_HOME"):
        _look_at_settings(folder, home, found)
    if not wrong_settings(environ) and (
        why := why_another(home, open_store(settings_of(environ).warehouse_url))
    ):
        found.faults.append(why)
    if is_project and home != (folder / STATE).resolve():
        found.warnings.append(
            f"DAGSTER_HOME is {home}: what is loaded here is shown there, and not in {STATE} of"
            " this folder. Unset it unless you want that."
        )
    if (folder / ".git").exists() and ENV_FILE in unignored(folder):
        found.warnings.append(f".gitignore: write {ENV_FILE} into it: it holds the token.")
    return found


def _look_at_env(path: Path, found: Findings) -> None:
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        return  # no command goes on
    except OSError as error:
        found.faults.append(f"{shown(path)}: cannot be read: {error.strerror}")
        return
    if mode & _OTHERS_MAY_READ:
        found.warnings.append(
            f"{shown(path)}: others on this machine may read the token: chmod 600 {shown(path)}"
        )
    written = [*_names_in(text)]
    unknown = dict(unknown_settings(name for _, name in written))
    found.unknown.update(unknown)
    for line, name in written:
        where = f"{shown(path)}:{line}"
        if not name:
            found.faults.append(f"{where}: is not read: expected NAME=value")
        elif name in unknown:
            meant = f"; did you mean {unknown[name]}?" if unknown[name] else ""
            found.warnings.append(f"{where}: {name}: is not a variable of fbinsights{meant}")


def _names_in(text: str) -> Iterator[tuple[int, str]]:
    """(line, name) of each binding of a `.env`; "" for a line that is not one."""
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]  # lines above it are a part of it
        if binding.error or binding.key:
            yield binding.original.line + blank.count("\n"), binding.key or ""


def _look_at_settings(folder: Path, home: Path, found: Findings) -> None:
    path = settings_folder(home) / SETTINGS
    if not path.exists():
        found.warnings.append(
            f"{path}: is missing: Dagster has no limits there and sends telemetry. `fbinsights dev`"
            " makes it."
        )
        return
    try:
        settings = settings_in(path.parent)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        found.faults.append(f"{shown(path)}{line}: {getattr(error, 'problem', None) or error}")
        return
    text = path.read_text(encoding="utf-8")
    found.warnings.extend(f"{shown(path)}{doubt}" for doubt in _doubts(settings, text))
    if path.parent == home == (folder / STATE).resolve() and (folder / SETTINGS).exists():
        found.warnings.append(
            f"{shown(path)}: Dagster reads this file and not {SETTINGS} of the folder. Remove it"
            " unless you want that."
        )


def _doubts(settings: Mapping[str, Any], text: str) -> Iterator[str]:
    """``:line: what``, or ``: what``, of each setting that is missing or not as it should be."""
    if sends_telemetry(settings):
        yield ": telemetry: is on: write enabled: false under it"
    usual = yaml.safe_load((TEMPLATES / SETTINGS).read_text(encoding="utf-8"))
    if missing := [name for name in usual if name not in settings and name != "telemetry"]:
        yield (
            f": {', '.join(missing)}: missing, so Dagster's own limits apply. `fbinsights init DIR`"
            " writes a whole file to copy them from"
        )
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(r"\bbase_dir:\s*['\"]?(?![/~'\"{\s])([^\s'\"},]+)", line):
            yield (
                f":{number}: base_dir: {found[1]}: is relative to where Dagster is started. Remove"
                " the section: what it is for is in the Dagster home anyway"
            )
