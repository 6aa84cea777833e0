"""The README of the sandbox says what the code does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import fbgraph.sandbox
from fbgraph.sandbox import SCENARIOS
from fbgraph.sandbox.limits.quota import QUOTAS
from pipelines.cli.main import cli
from tests.test_layers import MAY_IMPORT, SANDBOX

if TYPE_CHECKING:
    from fbgraph.sandbox.faults.hooks import Scenario
    from tests.sandbox.conftest import Graph

README = (Path(fbgraph.sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")


def line(name: str, scenario: Scenario) -> str:
    default = "" if scenario.strength is None else f":{scenario.strength}"
    return f"| `{name}{default}` | {scenario.does} | {scenario.source} |"


def test_the_table_of_scenarios_is_theirs() -> None:
    table = README.split("<!-- scenarios -->\n")[1].split("<!-- /scenarios -->")[0]

    assert table.splitlines()[2:] == [line(name, one) for name, one in SCENARIOS.items()]


def test_the_figures_of_quotas_are_theirs() -> None:
    for quota in QUOTAS.values():
        for figure in (quota.score, quota.insights, quota.management, quota.app_insights):
            assert f"{figure:,}" in README
        assert f"{quota.block_seconds} s" in README
        assert f"{quota.insights_per_ad} per active ad" in README
        assert f"{quota.management_per_ad} per active ad" in README
        assert f"{quota.app_per_user} per user" in README


@pytest.mark.parametrize("page", ["truth", "world", "seed", "calls", "scenario", "token", "change"])
def test_every_page_is_told_of_and_there(graph: Graph, page: str) -> None:
    assert f"| `{page}" in README
    assert graph.bare.get(f"_sandbox/{page}").status_code in {200, 400}


def test_what_calls_tells_is_told(graph: Graph) -> None:
    for key in graph.sandbox.calls():
        assert f"`{key}`" in README


def test_the_command_line_offers_what_the_readme_shows() -> None:
    said = CliRunner().invoke(cli, ["sandbox", "--help"]).output

    for option in ("--scenario", "--quota", "--latency"):
        assert option in said
        assert f"fbinsights sandbox {option}" in README or f" {option} " in README
    assert "fbgraph/sandbox/README.md" in said


def test_docstring_and_readme_name_the_same_gaps() -> None:
    doc = fbgraph.sandbox.__doc__ or ""

    for gap in (
        *("catalogs", "time_ranges", "history of objects", "attribution", "lenient parser"),
        *("audiences", "shorter memory", "without describing"),
    ):
        assert gap in doc
        assert gap in README


def test_the_table_of_rooms_is_theirs_lowest_first() -> None:
    table = README.split("## Where things are")[1]
    rooms = [line.split("`")[1].strip("/") for line in table.splitlines() if line.startswith("| `")]

    inner = [one.removeprefix(f"{SANDBOX}.") for one in MAY_IMPORT if one.startswith(f"{SANDBOX}.")]
    assert rooms == inner
