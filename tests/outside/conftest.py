"""fbinsights as somebody has it who knows no checkout: installed from what is released.

Elsewhere than in `make test-outside` nothing of this folder runs: it installs for minutes.
OUTSIDE names an interpreter, or is empty for this one; WAYS are the ways to install that are tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]

#: Way to install: which file, and whether there is a C compiler.
WAYS: Final[Mapping[str, tuple[str, bool]]] = {
    "wheel": ("*.whl", True),
    "sdist": ("*.tar.gz", True),
    "sdist, no compiler": ("*.tar.gz", False),
}

ASKED: Final = os.environ.get("OUTSIDE")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if ASKED is None and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="builds and installs: make test-outside"))


@dataclass(frozen=True)
class Installed:
    """A venv outside the checkout with fbinsights in it, and a folder to work in."""

    bin: Path
    folder: Path
    has_reader: bool

    def environ(self, **more: str) -> Mapping[str, str]:
        """Of a person's shell: nothing of these tests' own environment but PATH."""
        return {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.folder), **more}

    def start(self, *command: str, cwd: Path | None = None, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  our own words
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd or self.folder,
            env=self.environ(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, cwd: Path | None = None, **more: str) -> str:
        """What a command prints. It must succeed."""
        with self.start(*command, cwd=cwd, **more) as running:
            said = running.communicate(timeout=600)[0]
        assert running.returncode == 0, f"{command}: {said}"
        return said


def _call(*command: str | Path, cwd: Path, **more: str) -> None:
    done = subprocess.run(  # noqa: S603  our own words
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **more},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    _call(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    """The programs of a venv with what fbinsights needs, as pip finds it in the wheel."""
    folder = tmp_path_factory.mktemp("outside")
    python = ASKED or Path(sys.base_prefix) / "bin/python3"
    _call(python, "-m", "venv", folder / "venv", cwd=folder)
    pip = folder / "venv/bin/pip"
    [sdist] = built.glob("*.tar.gz")
    lock = ROOT / "requirements.lock"
    _call(pip, "install", "--compile", "--constraint", lock, sdist, cwd=folder)
    return pip.parent


@pytest.fixture(scope="session", params=WAYS)
def installed(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    built: Path,
    venv: Path,
) -> Installed:
    pattern, has_compiler = WAYS[request.param]
    if ASKED and pattern == "*.whl":
        pytest.skip("the wheel is for this Python")
    if has_compiler and not shutil.which("gcc"):
        pytest.skip("there is no C compiler here")
    [file] = built.glob(pattern)
    folder = tmp_path_factory.mktemp("person")
    own = ["--force-reinstall", "--no-deps", "--no-cache-dir"]
    compiler = {} if has_compiler else {"CC": "false"}
    _call(venv / "pip", "install", *own, file, cwd=folder, **compiler)
    return Installed(venv, folder, has_compiler)
