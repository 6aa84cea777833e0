"""A copy of the checkout whose reports a test may change, with a sandbox and a lake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pace import QUICK_DISK
from tests.seeds import seed_home

if TYPE_CHECKING:
    from fbgraph.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")

EXAMPLE, *_ = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)  # the first; others are of objects


@dataclass
class Checkout:
    """A copy of the checkout whose reports the test may change, with a sandbox and a lake."""

    folder: Path
    sandbox: Sandbox
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def report(self) -> Path:
        return self.folder / "reports" / "spend_by_placement.yaml"

    def write(self, text: str) -> None:
        self.report.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-c", "from pipelines.cli.main import main; main()", *arguments)

    def validate(self) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "dagster", "definitions", "validate")

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = self.folder / "home"
        if not home.exists():
            seed_home(home)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return subprocess.run(  # noqa: S603  # our own command
            [sys.executable, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                **QUICK_DISK,
                "PYTHONPATH": str(self.folder),
                "DAGSTER_HOME": str(home),
                "FB_GRAPH_URL": self.sandbox.url,
                "FB_ACCESS_TOKEN": self.sandbox.token,
                "WAREHOUSE_URL": str(self.folder / "lake"),
                "FB_MEDIA": "0",  # addresses of pictures end, and the sandbox's clock stands
                **self.environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )
