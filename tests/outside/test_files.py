"""What is in the wheel and in the sdist: all of the packages, and nothing else."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tests.outside.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PACKAGES = ("fbgraph", "pipelines", "warehouse")

#: What is for readers of the checkout, and for its tests.
NOT_FOR_USERS = {"README.md", "fuzz.c"}


def _ours(names: Iterable[str]) -> set[str]:
    """Those below the three packages, without what a compiler made and what no user needs."""
    return {
        name
        for name in names
        if name.partition("/")[0] in PACKAGES
        and not name.endswith((".so", "/"))
        and (PurePosixPath(name).name not in NOT_FOR_USERS or "/templates/" in name)
    }


def _tracked() -> set[str]:
    listed = subprocess.run(  # noqa: S603  our own words
        ["git", "ls-files", *PACKAGES],  # noqa: S607  wherever it is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return _ours(listed.stdout.splitlines())


def test_the_wheel_holds_the_packages_their_data_and_their_types(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    version = wheel.name.split("-")[1]

    assert _ours(names) == _tracked()
    assert {f"{package}/py.typed" for package in PACKAGES} <= {*names}
    tops = {name.partition("/")[0] for name in names}
    assert tops == {*PACKAGES, f"fbinsights-{version}.dist-info"}


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        names = [m.name.partition("/")[2] for m in file.getmembers() if m.isfile()]

    assert _ours(names) == _tracked()
    assert {"LICENSE", "README.md", "pyproject.toml"} <= {*names}
    assert [name for name in names if name.startswith(("tests", "benchmarks"))] == []
