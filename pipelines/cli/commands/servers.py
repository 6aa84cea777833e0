"""Servers on this machine until Ctrl-C: `fbinsights dev` is Dagster on this folder, `fbinsights
sandbox` a Graph API.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import yaml

from pipelines.cli.output.terminal import print_note
from pipelines.cli.summary import command_name
from pipelines.errors import ConfigError
from pipelines.project.folder import TEMPLATES
from pipelines.settings import wrong_settings
from pipelines.state.homes import (
    FOLDER_VARIABLE,
    SETTINGS,
    home_of,
    prepare,
    sends_telemetry,
    settings_in,
)
from warehouse.storage.atomic import locked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["left_over", "linked_to", "run_dev", "run_sandbox"]

#: Held, and telling where the pages are, as long as Dagster runs on a home.
RUNNING: Final = "fbinsights_dev.json"

_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


def run_dev(environ: Mapping[str, str], host: str, port: int) -> NoReturn:
    """Become `dagster dev`. Raises ConfigError, before anything is started, for settings that are
    wrong, a folder that is not a project, a home on which Dagster runs already and a port in use.
    """
    if wrong := wrong_settings(environ):
        raise ConfigError("\n".join(wrong))
    try:
        home = _prepared(environ)
    except yaml.YAMLError as error:
        why = " ".join(str(error).split())
        raise ConfigError(
            f"{SETTINGS} is not YAML: {why}. Fix it; `{command_name()} check` names the line."
        ) from None
    held = _held(home)
    if left := left_over(home):
        pids = " ".join(map(str, left))
        raise ConfigError(
            "An earlier `fbinsights dev` was killed, and parts of its Dagster still run on this"
            f" folder. End them with `kill {pids}`, then run this again."
        )
    port = _free_port(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    os.write(held, json.dumps({"pid": os.getpid(), "url": url}).encode())
    print_note(f"Dagster on {Path.cwd()}: {url}. It takes some seconds to start; Ctrl-C stops it.")
    if host not in _LOCAL:
        print_note(
            "Anyone who reaches this address can load and delete: Dagster asks for no password."
        )
    own = {
        **linked_to(environ, host, url),
        "DAGSTER_HOME": os.fspath(home),
        "PYTHONSAFEPATH": "1",  # a folder `pipelines` of the user's own is not ours
        FOLDER_VARIABLE: os.fspath(Path.cwd()),
    }
    command = [sys.executable, "-m", "pipelines.project.dagster_dev", host, str(port)]
    os.execve(command[0], command, {**environ, **own})  # noqa: S606  # our own module


def linked_to(environ: Mapping[str, str], host: str, url: str) -> Mapping[str, str]:
    """Where alerts link to, unless the settings say so: the port need not be the usual one."""
    is_open = host in _LOCAL and not environ.get("FB_DAGSTER_URL")
    return {"FB_DAGSTER_URL": url} if is_open else {}


def _prepared(environ: Mapping[str, str]) -> Path:
    """The Dagster home, with settings in it."""
    if not environ.get("DAGSTER_HOME") and not Path(SETTINGS).is_file():
        raise ConfigError(
            f"{Path.cwd()} is not a project folder: it has no {SETTINGS}. Run this in your project"
            f" folder, or make this folder one with `{command_name()} init`."
        )
    home = home_of(environ)
    with locked(home):
        prepare(home)
        if not (home / SETTINGS).exists():  # somebody's own home, and new
            (home / SETTINGS).write_bytes((TEMPLATES / SETTINGS).read_bytes())
            print_note(f"made {home / SETTINGS}: limits, and no telemetry")
    if sends_telemetry(settings_in(home)):
        print_note(
            f"Dagster sends telemetry from here: write `telemetry: {{enabled: false}}` into"
            f" {home / SETTINGS} to turn it off."
        )
    return home


def _held(home: Path) -> int:
    """A lock that ends with this process and those that it becomes: two daemons on one home would
    start each run twice.
    """
    held = os.open(home / RUNNING, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(f"Dagster runs on this folder already{_where(home)}.") from None
    os.set_inheritable(held, True)  # noqa: FBT003  # what Python's own function takes
    os.truncate(held, 0)
    return held


def left_over(home: Path) -> Sequence[int]:
    """Webserver and daemon that `fbinsights dev` has started on a home, by process id. They outlive
    it if it is killed alone, and its lock does not. Found where there is `/proc`.
    """
    from pipelines.dagster_private import DEV_MODULES  # noqa: PLC0415  # other commands do without

    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes().split(b"\0")
            is_here = f"DAGSTER_HOME={home}".encode() in variables
            is_devs = any(one.startswith(f"{FOLDER_VARIABLE}=".encode()) for one in variables)
            if is_here and is_devs and not DEV_MODULES.isdisjoint(arguments):
                found.append(int(process.name))
    return sorted(found)


def _where(home: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        running = json.loads((home / RUNNING).read_text(encoding="utf-8"))
        return f": {running['url']}, process {running['pid']}"
    return ""


def _free_port(host: str, port: int) -> int:
    """The port, or any free one for 0. Raises ConfigError if it cannot be listened on."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
            return int(tried.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} is in use, maybe by another Dagster. Stop that one, or add"
                " --port 0, which takes any free port."
            ) from None
        raise ConfigError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None


def run_sandbox(port: int, seed: int, scenarios: Sequence[str], **options: Any) -> None:
    """Serve until Ctrl-C. `options` are those of `Sandbox`. Raises ConfigError for a port in use
    and for options that the sandbox does not have.
    """
    from fbgraph.sandbox import serve  # noqa: PLC0415  # Dagster does without it

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
