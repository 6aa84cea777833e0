"""Values, not globals: reports are read by a program, not by importing a module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]

#: Prints each YAML file that is opened, and each folder that is listed, while modules of ours are
#: imported; their own code is none.
LISTENS: Final = """
import importlib, sys

def hear(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".yaml", ".yml")):
        print("opened", arguments[0])
    elif event == "os.scandir" and str(arguments[0]).endswith("reports"):
        print("listed", arguments[0])

sys.addaudithook(hear)
for name in sys.argv[1:]:
    importlib.import_module(name)
"""

MODULES: Final = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "pipelines").rglob("*.py")
)

#: What Dagster loads: a program, whose top is its import.
PROGRAM: Final = "pipelines.definitions"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of reports in which one is broken."""
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "broken.yaml").write_text("type: nonsense\n", encoding="utf-8")
    return reports


def imported(folder: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", LISTENS, *modules],
        cwd=folder.parent,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "FB_REPORTS": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )


def test_importing_a_module_reads_no_report(folder: Path) -> None:
    heard = imported(folder, *(name for name in MODULES if name != PROGRAM))

    assert heard.stdout == ""


def test_what_dagster_loads_reads_each_once_and_reports_what_is_broken(folder: Path) -> None:
    heard = imported(folder, PROGRAM)

    presets = ROOT / "pipelines" / "reports" / "presets"
    ready = (
        ROOT / "pipelines" / "project" / "ready" / "insights_daily.yaml"
    )  # is it as it was ready?
    read = [folder / "broken.yaml", *sorted(presets.glob("*.yaml")), ready]
    assert [line for line in heard.stdout.splitlines() if line.startswith("opened")] == [
        f"opened {path}" for path in read
    ]
    assert "reports/broken.yaml:1: this report cannot be loaded:" in heard.stderr
