"""Postgres and Redis as Debian packs them, on ports of their own and in folders that go with them.

`python -m tests.scale.services` installs what is missing, where that may be done.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.pace import PATIENCE_SECONDS, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["free_port", "postgres", "redis", "running", "wait_until"]

#: What is looked at costs something: a database or a bucket is asked.
LOOK_SECONDS: Final = 0.3

#: A program that was told to end has so long, then it is ended with all that it has started.
ENDING_SECONDS: Final = 30

#: program → Debian's package that has it.
PACKAGES: Final[Mapping[str, str]] = {"initdb": "postgresql", "redis-server": "redis-server"}

#: Debian keeps programs of Postgres out of PATH, for several versions may be there.
PLACES: Final = "/usr/lib/postgresql/*/bin"

#: The account that Debian's package makes. Postgres refuses to run as root.
POSTGRES_USER: Final = "postgres"


def found(name: str) -> str | None:
    """Where a program is, the newest of several."""
    beside = sorted(Path("/").glob(f"{PLACES.removeprefix('/')}/{name}"))
    return shutil.which(name) or (str(beside[-1]) if beside else None)


def program(name: str) -> str:
    """Where a program is. Raises FileNotFoundError that names what to install."""
    if place := found(name):
        return place
    raise FileNotFoundError(f"{name} is missing: install {PACKAGES.get(name, 'postgresql')}")


def install() -> None:
    """Install what is missing. Exits with what to do where that needs somebody else."""
    missing = sorted({package for name, package in PACKAGES.items() if found(name) is None})
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"Missing: {', '.join(missing)}. Install it, then run this again.")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    get = ["apt-get", "--quiet", "--quiet", "--option", "Acquire::Retries=3"]
    install_only = ["install", "--yes", "--no-install-recommends"]
    for command in ([*get, "update"], [*get, *install_only, *missing]):
        subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL)  # noqa: S603  # fixed


def wait_until(
    happens: Callable[[], object], instead: Callable[[], object] = lambda: "nothing"
) -> None:
    """Look again and again; a test that waits for nothing fails, and shows what there is
    `instead`.
    """
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < within(PATIENCE_SECONDS), (
            f"it never happened, but {instead()}"
        )
        time.sleep(LOOK_SECONDS)


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until the block ends, in a process group of its own. What it says goes to
    `log`; `ending` makes it go.
    """
    with log.open("ab") as told:
        process = subprocess.Popen(  # noqa: S603  # our own commands
            command,
            stdout=told,
            stderr=told,
            env=environ,
            cwd=cwd,
            user=user,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(ending)
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:  # a test has failed, and it waits for what does not come
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fbinsights-scale-") as made:
        if user:
            shutil.chown(made, user)
        yield Path(made)


@contextmanager
def postgres(port: int = 0, password: str = "") -> Iterator[str]:
    """A server with one empty database, on a port and with a password that are new unless they are
    given; its address, as SQLAlchemy writes it.
    """
    user = POSTGRES_USER if os.geteuid() == 0 else None
    password, port = password or secrets.token_hex(8), port or free_port()
    with _folder(user) as folder:
        secret = folder / "password"
        secret.write_text(password)
        if user:
            shutil.chown(secret, user)
        subprocess.run(  # noqa: S603  # fixed
            [
                *(program("initdb"), "--no-sync", "--username=dagster", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", str(folder / "data")),
            ],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 200,
        }
        server = [program("postgres"), "-D", str(folder / "data")]
        for name, value in settings.items():
            server += ["-c", f"{name}={value}"]
        fast = signal.SIGINT  # SIGTERM waits until everybody has hung up
        with running(server, folder / "log", cwd=folder, user=user, ending=fast):
            wait_until(lambda: _takes_connections(port))
            yield f"postgresql+psycopg2://dagster:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A server with nothing in it, kept in memory only; its address."""
    port = free_port()
    with _folder(None) as folder:
        server = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
        server += ["--save", "", "--dir", str(folder)]
        with running(server, folder / "log"):
            wait_until(lambda: _listens(port))
            yield f"redis://127.0.0.1:{port}/0"


def _takes_connections(port: int) -> bool:
    """Whether Postgres has started up: it listens before, and refuses everybody."""
    command = [program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603  # fixed


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    install()
