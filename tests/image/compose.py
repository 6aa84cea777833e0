"""Runs the services of a `compose.yaml` with runc: a reader of as much of it as ours uses.

Each service is a container: the image's files, read-only; its user, no capabilities, process and
mount namespaces of its own, volumes as the file says. The network is that of the test, which has a
namespace of its own (Makefile), so ports are those of the file; names of services are in
/etc/hosts. Postgres is Debian's. A key of the file that is not understood is an error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from dotenv import dotenv_values

from tests.image.build import BUILDAH, FOLDER, IMAGE, output_of
from tests.pace import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Image", "Project", "Service", "interpolated", "unpacked"]

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\{[^}]*\})*))?\}")

#: What a service of ours may say, and is obeyed here or means nothing to runc.
UNDERSTOOD: Final = frozenset(
    "image restart init read_only cap_drop security_opt tmpfs volumes environment build env_file"
    " command stop_grace_period healthcheck depends_on ports".split()
)


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """`${A}`, `${A:-default}` and `${A:?why}` as Compose reads them. Raises ValueError with why."""

    def value(found: re.Match[str]) -> str:
        name, kind, more = found.groups()
        if values.get(name):
            return values[name]
        if kind == "?":
            raise ValueError(f"required variable {name} is missing a value: {more}")
        return more or ""

    return _VARIABLE.sub(value, text)


@dataclass(frozen=True, slots=True)
class Image:
    """The files of an image, unpacked, and its settings."""

    files: Path
    environ: Sequence[str]
    entrypoint: Sequence[str]
    command: Sequence[str]
    folder: str
    health: Sequence[str]
    text: str  # everything that is written about it


def unpacked() -> Image:
    """The image that was built."""
    text = output_of(*BUILDAH, "inspect", "--type", "image", IMAGE)
    settings = json.loads(text)["Docker"]["config"]
    output_of(*BUILDAH, "rm", "--all")
    container = output_of(*BUILDAH, "from", "--pull-never", IMAGE).strip()
    return Image(
        files=Path(output_of(*BUILDAH, "mount", container).strip()),
        environ=settings["Env"],
        entrypoint=settings["Entrypoint"],
        command=settings["Cmd"],
        folder=settings["WorkingDir"],
        health=settings["Healthcheck"]["Test"],
        text=text,
    )


@dataclass
class Service:
    """A container of a service: a bundle of runc."""

    name: str
    bundle: Path
    healthcheck: Sequence[str]
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.bundle / "log").read_text(errors="replace")

    def start(self) -> None:
        with (self.bundle / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                [*_RUNC, "run", "--bundle", str(self.bundle), self.name],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """`docker compose exec`: as the service's user, in its namespaces."""
        return subprocess.run(  # noqa: S603  # our own commands
            [*_RUNC, "exec", self.name, *command], capture_output=True, text=True, check=False
        )

    def health(self) -> str:
        """What its health check prints; empty if that fails."""
        done = self.execute(*self.healthcheck)
        return done.stdout if done.returncode == 0 else ""

    def wait_healthy(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.health():
            assert self.process
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(1)

    def stop(self, signal: str = "TERM") -> int:
        """End process 1 of the container, and with it the container; its exit code."""
        assert self.process
        if self.process.poll() is None:
            subprocess.run([*_RUNC, "kill", self.name, signal], check=False)  # noqa: S603
        code = self.process.wait(PATIENCE_SECONDS)
        subprocess.run(  # noqa: S603  # gone already, as a rule
            [*_RUNC, "delete", "--force", self.name], check=False, capture_output=True
        )
        return code


_RUNC: Final = ["runc", "--root", str(FOLDER / "containers")]


@dataclass
class Project:
    """A project folder with its compose.yaml."""

    folder: Path
    image: Image
    services: dict[str, Service] = field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """What Compose puts into its file: those of .env."""
        return {k: v or "" for k, v in dotenv_values(self.folder / ".env").items()}

    def compose(self) -> Mapping[str, Any]:
        text = interpolated((self.folder / "compose.yaml").read_text(), self.variables)
        return yaml.safe_load(text)  # type: ignore[no-any-return]  # a mapping

    def up(self) -> None:
        """Start everything but Postgres, each as soon as what it depends on is healthy."""
        services = self.compose()["services"]
        for name in sorted(set(services) - {"postgres"}, key=lambda name: _depth(services, name)):
            self.services[name] = self.service(name, services[name])
            self.services[name].start()
            self.services[name].wait_healthy()

    def alone(self) -> Service:
        """`docker run` of the image alone, on a copy of the project folder that is its user's."""
        folder = self.folder.parent / "alone-project"
        shutil.copytree(self.folder, folder)
        uid, gid = _user_of(self.image)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, gid)
        volumes = [f"{folder}:{self.image.folder}"]
        return self.service("alone", {"read_only": True, "tmpfs": ["/tmp"], "volumes": volumes})  # noqa: S108

    def boot(self) -> None:
        """Start them all at once, in the worst order, as Docker does when the machine has started:
        `depends_on` is about `docker compose up` alone.
        """
        for service in reversed([*self.services.values()]):
            service.start()
        for service in self.services.values():
            service.wait_healthy()

    def service(self, name: str, asked: Mapping[str, Any]) -> Service:
        """The bundle of a service, with its volumes."""
        assert set(asked) <= UNDERSTOOD, set(asked) - UNDERSTOOD
        bundle = self.folder.parent / name
        bundle.mkdir(exist_ok=True)
        environ = dict(entry.split("=", 1) for entry in self.image.environ)
        for file in asked.get("env_file", []):
            environ |= {k: v or "" for k, v in dotenv_values(self.folder / file).items()}
        environ |= asked.get("environment", {})
        hosts = bundle / "hosts"
        hosts.write_text("127.0.0.1 localhost code daemon postgres webserver\n")
        mounts = [_mount(f"{hosts}:/etc/hosts:ro")]
        mounts += [self._volume(text) for text in asked.get("volumes", [])]
        mounts += [_tmpfs(where) for where in asked.get("tmpfs", [])]
        command = [*self.image.entrypoint, *asked.get("command", self.image.command)]
        health = asked.get("healthcheck", {}).get("test", self.image.health)
        spec = _spec(self.image, command, environ, mounts, is_read_only=asked["read_only"])
        (bundle / "config.json").write_text(json.dumps(spec))
        assert health[0] == "CMD"
        return Service(name, bundle, health[1:], environ)

    def _volume(self, text: str) -> Mapping[str, Any]:
        source, target, *more = text.split(":")
        path = (
            self.folder / source
            if source.startswith((".", "/"))
            else self.folder.parent / f"volume-{source}"
        )
        if not path.exists():  # a new named volume: as the image's folder, with its owner
            path.mkdir()
            there = (self.image.files / target.lstrip("/")).stat()
            os.chown(path, there.st_uid, there.st_gid)
        return _mount(":".join([str(path.resolve()), target, *more]))


def _depth(services: Mapping[str, Any], name: str) -> int:
    return 1 + max(
        (_depth(services, one) for one in services[name].get("depends_on", {})), default=0
    )


def _mount(text: str) -> Mapping[str, Any]:
    source, target, *more = text.split(":")
    options = ["bind", "ro" if "ro" in more else "rw"]
    return {"destination": target, "type": "bind", "source": source, "options": options}


def _tmpfs(target: str) -> Mapping[str, Any]:
    options = ["nosuid", "nodev", "mode=1777"]
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": options}


def _spec(
    image: Image,
    command: Sequence[str],
    environ: Mapping[str, str],
    mounts: Sequence[Mapping[str, Any]],
    *,
    is_read_only: bool,
) -> Mapping[str, Any]:
    """runc's own specification, with ours in it."""
    folder = FOLDER / "spec"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").unlink(missing_ok=True)
    output_of("runc", "spec", "--bundle", str(folder))
    spec: dict[str, Any] = json.loads((folder / "config.json").read_text())
    uid, gid = _user_of(image)
    spec["root"] = {"path": str(image.files), "readonly": is_read_only}
    spec["process"] |= {
        "terminal": False,
        "user": {"uid": uid, "gid": gid},
        "args": list(command),
        "env": [f"{name}={value}" for name, value in environ.items()],
        "cwd": image.folder,
        "capabilities": {},
        "noNewPrivileges": True,
        "rlimits": [],
    }
    spaces = spec["linux"]["namespaces"]
    spec["linux"]["namespaces"] = [one for one in spaces if one["type"] != "network"]
    # A folder comes before a file in it, as Docker sorts them.
    spec["mounts"] += sorted(mounts, key=lambda one: one["destination"].count("/"))
    return spec


def _user_of(image: Image) -> tuple[int, int]:
    """The number of the image's user."""
    name = json.loads(image.text)["Docker"]["config"]["User"]
    users = [line.split(":") for line in (image.files / "etc/passwd").read_text().splitlines()]
    [(uid, gid)] = [(int(user[2]), int(user[3])) for user in users if user[0] == name]
    return uid, gid
