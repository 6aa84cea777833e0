"""The Dagster project of somebody else, laid out as `create-dagster` does: our components are
scaffolded, checked and launched there by `dg`, and the command line knows the same.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dagster as dg
import pytest

from tests.e2e.company import DAYS, SECRET, start
from tests.pace import QUICK_DISK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fbgraph.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("dagster_dg_cli") is None and not os.environ.get("CI"),
    reason="dagster-dg-cli is not installed: `make test` installs it",
)

WAREHOUSE: Final = "pipelines.components.Warehouse"
REPORT: Final = "pipelines.components.InsightsReport"
OBJECTS: Final = "pipelines.components.ObjectTable"

#: What `create-dagster project acme` writes, as far as Dagster reads it; and an asset of their own.
FILES: Final = {
    "pyproject.toml": """\
[project]
name = "acme"
version = "0.1.0"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "acme"
registry_modules = ["acme.components.*"]
""",
    "src/acme/__init__.py": "",
    "src/acme/definitions.py": """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
""",
    "src/acme/defs/__init__.py": "",
    "src/acme/defs/own.py": """\
import dagster as dg


@dg.asset(deps=[dg.AssetKey(["marketing", "meta", "spend_by_country"])])
def budget() -> None: ...
""",
}


@dataclass
class Project:
    """The project, a sandbox, and the commands of a person in it."""

    folder: Path
    sandbox: Sandbox

    @property
    def defs(self) -> Path:
        return self.folder / "src" / "acme" / "defs"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(
        self, command: str, *arguments: str, at: str = ".", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        binaries = Path(sys.executable).parent
        settings = {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(binaries.parent),
            "PYTHONPATH": str(self.folder / "src"),  # as if it were installed
            "HOME": str(self.folder),
            **QUICK_DISK,
            "DAGSTER_HOME": str(self.home),
            "DG_CLI_CONFIG": str(self.folder / "none.toml"),
            "FB_GRAPH_URL": self.sandbox.url,
            "FB_ACCESS_TOKEN": self.sandbox.token,
            "FB_APP_SECRET": SECRET,
            "WAREHOUSE_URL": str(self.folder / "lake"),
            "FB_MEDIA": "0",  # pictures have addresses that end, and the sandbox's clock stands
        }
        return subprocess.run(  # noqa: S603  # our own command
            [str(binaries / command), *arguments],
            cwd=self.folder / at,
            env=settings | environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """With a warehouse under a key prefix, a report and a table of objects, scaffolded by `dg`."""
    with start() as sandbox:
        made = Project(tmp_path_factory.mktemp("acme"), sandbox)
        for path, text in FILES.items():
            made.write(path, text)
        made.write("home/dagster.yaml", "telemetry: {enabled: false}\n")
        for what, name in ((WAREHOUSE, "meta"), (REPORT, "spend_by_country"), (OBJECTS, "pixels")):
            done = made.run("dg", "scaffold", "defs", what, name)
            assert done.returncode == 0, done.stdout + done.stderr
        placed = "attributes: {key_prefix: [marketing, meta], group_name: paid}\n"
        made.write("src/acme/defs/meta/defs.yaml", f"type: {WAREHOUSE}\n{placed}")
        yield made


def cell(project: Project, day: int) -> str:
    return f"act_{project.sandbox.account_ids[0]}|{DAYS[day]}"


def test_dg_lists_the_components_and_takes_what_it_has_scaffolded(project: Project) -> None:
    listed = project.run("dg", "list", "components", "--json")
    checked = project.run("dg", "check", "defs")

    assert {WAREHOUSE, REPORT, OBJECTS} <= {
        one["key"] for one in json.loads(listed.stdout)["items"]
    }
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "All definitions loaded successfully" in checked.stdout


def test_a_report_that_no_table_can_be_called_after_is_not_scaffolded(project: Project) -> None:
    done = project.run("dg", "scaffold", "defs", REPORT, "refresh")

    assert done.returncode == 1
    [told] = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]
    assert told.startswith("Error: A report cannot be named after the folder refresh: name: ")
    assert not (project.defs / "refresh").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_runs_and_commands_there_record_the_same_assets_under_the_prefix(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click and a command load one account-day each; both are proven, published, and in the same
    row of the grid, and nothing is recorded under a key that the project does not have.
    """
    monkeypatch.syspath_prepend(project.folder / "src")
    account_id = project.sandbox.account_ids[0]
    report = "marketing/meta/spend_by_country"
    typed = project.run(
        *("fbinsights", "backfill", "--report", "spend_by_country", "--account", account_id),
        *("--since", str(DAYS[1]), "--until", str(DAYS[1])),
    )
    clicked = project.run("dg", "launch", "--assets", report, "--partition", cell(project, 0))
    published = project.run("fbinsights", "publish")
    asked = "select date, sum(spend) as spend from spend_by_country group by all order by all"
    rows = project.run("fbinsights", "query", asked, "--format", "csv").stdout.splitlines()

    assert (typed.returncode, typed.stderr) == (0, "")
    assert (clicked.returncode, published.returncode) == (0, 0), clicked.stderr
    found = {row["date"]: Decimal(row["spend"]) for row in csv.DictReader(rows)}
    truth = project.sandbox.truth
    assert found == {str(day): Decimal(truth(account_id, day)["sums"]["spend"]) for day in DAYS[:2]}
    key = dg.AssetKey(report.split("/"))
    with dg.DagsterInstance.from_config(str(project.home)) as instance:
        cells = instance.get_materialized_partitions(key)
        recorded = {one.to_user_string() for one in instance.all_asset_keys()}
        [check] = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(key, "complete"), limit=1
        )
    defs = dg.load_from_defs_folder(path_within_project=project.defs)
    keys = {one.to_user_string() for one in defs.resolve_asset_graph().get_all_asset_keys()}
    assert cells == {cell(project, 0), cell(project, 1)}
    assert check.status.value == "SUCCEEDED"
    assert {f"marketing/meta/{name}" for name in ("health", "warehouse_duckdb", "lake")} < recorded
    assert recorded <= keys
    assert keys - {"budget"} == {one for one in keys if one.startswith("marketing/meta/")}


@pytest.mark.parametrize(
    ("at", "reports"), [(".", ""), ("src/acme", ""), ("home", "src/acme/defs"), ("home", ".")]
)
def test_the_command_line_knows_its_reports_in_the_project_and_where_fb_reports_names_it(
    project: Project, at: str, reports: str
) -> None:
    named = {"FB_REPORTS": str(project.folder / reports)} if reports else {}

    checked = project.run("fbinsights", "check", at=at, **named)

    assert checked.returncode == 0, checked.stdout
    assert "0 problems" in checked.stderr
    assert "spend_by_country" in checked.stderr


def test_what_is_wrong_there_both_say_with_file_and_line(project: Project) -> None:
    text = (project.defs / "spend_by_country" / "defs.yaml").read_text(encoding="utf-8")
    wrong = text.replace("level: campaign", "level: campain").replace("clicks", "cliks")
    file = project.write("src/acme/defs/wrong/defs.yaml", wrong.replace("country", "region"))
    try:
        checked = project.run("fbinsights", "check")
        dagster = project.run("dg", "check", "defs")
    finally:
        file.unlink()
        file.parent.rmdir()

    told = [line for line in checked.stdout.splitlines() if "(warning)" not in line]
    assert checked.returncode == 1
    assert told == [
        "src/acme/defs/wrong/defs.yaml:5: level: campain: unknown name; did you mean campaign?",
        "src/acme/defs/wrong/defs.yaml:11: fields: cliks: unknown name; did you mean clicks?",
    ]
    assert dagster.returncode == 1
    assert [line for line in told if line not in dagster.stdout + dagster.stderr] == []
