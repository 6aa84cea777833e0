"""docs/reports.md, step by step: a person adds a file, and nothing else, to a checkout."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox import Sandbox
from pipelines.definition import Definition
from pipelines.report_rules import NO_SUMS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")

[EXAMPLE] = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
COMMANDS = re.findall(r"^fbinsights (.*--report.*|query .*)$", DOCS, re.MULTILINE)


@dataclass
class Checkout:
    """A copy of the checkout whose reports the test may change, with a sandbox and a lake."""

    folder: Path
    sandbox: Sandbox

    @property
    def report(self) -> Path:
        return self.folder / "pipelines" / "defs" / "spend_by_placement" / "defs.yaml"

    def write(self, text: str) -> None:
        self.report.parent.mkdir(exist_ok=True)
        self.report.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._python("-c", "from pipelines.cli import main; main()", *arguments)

    def validate(self) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "dagster", "definitions", "validate")

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return subprocess.run(  # noqa: S603  # our own command
            [sys.executable, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(self.folder),
                "DAGSTER_HOME": str(home),
                "FB_GRAPH_URL": self.sandbox.url,
                "FB_ACCESS_TOKEN": self.sandbox.token,
                "WAREHOUSE_URL": str(self.folder / "lake"),
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    shutil.copytree(
        ROOT / "pipelines", tmp_path / "pipelines", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("fbgraph", "warehouse"):
        (tmp_path / package).symlink_to(ROOT / package)
    with Sandbox(now=lambda: datetime(2026, 11, 23, 20, 0, tzinfo=UTC)) as sandbox:
        yield Checkout(tmp_path, sandbox)


def test_the_example_is_loaded_proven_and_answered_as_the_docs_say(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)
    plan, backfill, spend, clicks = (shlex.split(command) for command in COMMANDS)

    planned, loaded = checkout.run(*plan), checkout.run(*backfill)
    by_place = checkout.run(*spend, "--format", "csv")
    by_platform = checkout.run(*clicks, "--format", "csv")

    assert (planned.returncode, "spend_by_placement" in planned.stdout) == (0, True)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    told = sum(
        Decimal(checkout.sandbox.truth(account_id, f"2026-11-{day}")["sums"]["spend"])
        for account_id in checkout.sandbox.account_ids
        for day in (20, 21, 22)
    )
    rows = list(csv.DictReader(by_place.stdout.splitlines()))
    assert sum(Decimal(row["spend"]) for row in rows) == told
    assert {"facebook", "instagram"} < {row["publisher_platform"] for row in rows}
    counted = list(csv.DictReader(by_platform.stdout.splitlines()))
    # Link clicks are on Meta, where nobody is late and none follows a view.
    assert counted
    assert all(0 < Decimal(row["within_7_days"]) == Decimal(row["clicks"]) for row in counted)


def test_the_example_has_comments_and_stands_in_the_dictionary(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)

    published = checkout.run("publish")
    comments = checkout.run(
        "query",
        "select comment from duckdb_tables() where table_name = 'spend_by_placement' union all "
        "select comment from duckdb_columns() where table_name = 'spend_by_placement' "
        "and schema_name = 'main' and column_name in ('platform_position', 'cpm') order by all",
        "--format",
        "csv",
    )
    dictionary = checkout.run("docs")
    view = checkout.run("docs", "spend_by_placement_actions")

    assert published.returncode == 0, published.stderr
    assert comments.stdout.splitlines()[1:] == [
        '"Cpm; do not add up [account currency, major units]"',
        '"Place on that platform, such as feed or instagram_stories"',
        '"Where each campaign was shown, by the day."',
    ]
    assert "## spend_by_placement\n" in dictionary.stdout
    assert view.stdout.startswith("## spend_by_placement_actions (view)\n")
    assert view.stdout in dictionary.stdout


def test_dagster_has_the_asset_and_its_check_and_tells_what_is_wrong(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)
    names = "from pipelines.definitions import defs; g = defs.resolve_asset_graph();"
    shown = checkout._python(  # noqa: SLF001  # a question of this test
        "-c", f"{names} print([k.to_user_string() for k in g.asset_check_keys])"
    )
    right = checkout.validate()

    checkout.write(EXAMPLE.replace("impressions", "impresions"))
    wrong = checkout.validate()

    assert "spend_by_placement:complete" in shown.stdout, shown.stderr
    assert right.returncode == 0, right.stderr
    assert wrong.returncode == 1
    assert "defs.yaml:7: fields: impresions: is not known; do you mean impressions?" in wrong.stdout


def test_a_wrong_report_stops_every_command_with_file_line_and_rule(checkout: Checkout) -> None:
    checkout.write(EXAMPLE.replace("impressions", "impresions").replace("1d_view", "7d_view"))

    for command in (["publish"], ["query", "from loads"], shlex.split(COMMANDS[1])):
        done = checkout.run(*command)

        assert done.returncode == 2
        dead = "is accepted and has had no value since 2026-01-12"
        told = done.stderr.replace("pipelines/defs/spend_by_placement/defs.yaml", "FILE")
        assert told.splitlines() == [
            "fbinsights: Reports cannot be loaded:",
            "  FILE:7: fields: impresions: is not known; do you mean impressions?",
            f"  FILE:12: action_attribution_windows: 7d_view: {dead}",
        ]


def test_a_day_before_the_report_begins_is_refused_with_what_to_do(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)

    done = checkout.run("backfill", "--since", "2025-12-31", "--until", "2026-01-02")

    assert done.returncode == 2
    assert "is before spend_by_placement begins: its start_date is 2026-01-01" in done.stderr


def test_a_report_that_is_deleted_is_gone_from_the_next_publish(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)
    checkout.run(*shlex.split(COMMANDS[1]))
    checkout.report.unlink()

    done = checkout.run("publish")
    asked = checkout.run("query", "from spend_by_placement")

    assert done.returncode == 0
    assert "spend_by_placement does not exist" in asked.stderr
    assert list((checkout.folder / "lake" / "spend_by_placement").rglob("data.parquet"))


def test_the_docs_name_every_key_and_every_reason() -> None:
    for key in Definition.__dataclass_fields__:
        assert f"| `{key}` |" in DOCS
    for _, why in NO_SUMS:
        assert f"| {why} |" in DOCS
