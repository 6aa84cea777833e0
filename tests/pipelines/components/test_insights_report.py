"""The component in a Dagster project of somebody else, loaded as Dagster loads it."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

import warehouse
from pipelines.components import InsightsReport
from pipelines.reports.files import read_files
from pipelines.reports.spec import ReportSpec
from tests.runs import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


ROOT = Path(__file__).resolve().parents[3]
YAML = """\
type: pipelines.components.InsightsReport
attributes:
  name: spend_by_country
  level: campaign
  breakdowns: [country]
  fields: [impressions, spend]
  start_date: 2026-01-01
---
type: pipelines.components.InsightsReport
attributes:
  name: spend_by_age
  level: campaign
  breakdowns: [age]
  fields: [spend]
"""


OBJECTS = """\
type: pipelines.components.ObjectTable
attributes:
  name: pixels
  edge: adspixels
  fields: [name, {field: owner_business.name, name: owner, kind: text}, last_fired_time]
  moving: [last_fired_time]
  group_name: tracking
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """A project `somebodys` with one `defs.yaml`, and the asset that fills the grid."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str) -> Path:
        for folder in ("somebodys", "somebodys/defs", "somebodys/defs/spend"):
            (tmp_path / folder).mkdir()
        (tmp_path / "somebodys" / "__init__.py").touch()
        (tmp_path / "somebodys" / "defs" / "__init__.py").touch()
        ours = tmp_path / "somebodys" / "defs" / "ours.py"
        ours.write_text(
            "from pipelines.defs.assets import accounts, warehouse_duckdb\n", encoding="utf-8"
        )
        (tmp_path / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "somebodys"\n',
            encoding="utf-8",
        )
        path = tmp_path / "somebodys" / "defs" / "spend" / "defs.yaml"
        path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return path

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys"]:
        del sys.modules[name]


def loaded(path: Path) -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=path.parent)


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_its_assets_load_and_are_proven_and_published_there(
    project: Callable[[str], Path],
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
) -> None:
    defs = loaded(project(YAML))
    names = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    run_job(instance, "accounts_job")
    jobs = [
        dg.define_asset_job("one", selection=["spend_by_country"]),
        dg.define_asset_job("two", selection=["warehouse_duckdb"]),
    ]
    theirs = dg.Definitions.merge(defs, dg.Definitions(jobs=jobs))
    key = f"act_{sandbox.account_ids[0]}|{days[1]}"

    result = theirs.resolve_job_def("one").execute_in_process(instance=instance, partition_key=key)
    theirs.resolve_job_def("two").execute_in_process(instance=instance)

    assert names == {
        *("accounts", "spend_by_country", "spend_by_age", "lake", "warehouse_duckdb"),
    }
    # The last one: before it the account's totals, which prove it.
    event = result.asset_materializations_for_node("spend_by_country")[-1]
    assert event.metadata["verdict"].value == "proven"
    truth = sandbox.truth(sandbox.account_ids[0], days[1])["sums"]["spend"]
    with warehouse.open(lake.root) as opened:
        [(spend,)] = opened.sql("select sum(spend) from spend_by_country").fetchall()
    assert f"{spend:f}".rstrip("0") == f"{truth}".rstrip("0")


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_a_table_of_objects_loads_and_is_published_there(
    project: Callable[[str], Path], instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    defs = loaded(project(OBJECTS))
    run_job(instance, "accounts_job")
    publishing = dg.define_asset_job("two", selection=["warehouse_duckdb"])
    theirs = dg.Definitions.merge(defs, dg.Definitions(jobs=[publishing]))
    key = f"act_{sandbox.account_ids[0]}"

    listing = theirs.resolve_job_def("pixels_job")
    result = listing.execute_in_process(instance=instance, partition_key=key)
    theirs.resolve_job_def("two").execute_in_process(instance=instance)

    [spec] = [one for one in defs.resolve_all_asset_specs() if one.key.path == ["pixels"]]
    assert spec.group_name == "tracking"
    [event] = result.asset_materializations_for_node("pixels")
    assert event.metadata["total_count"].value == "1"
    with warehouse.open(lake.root) as opened:
        [row] = opened.sql("select account_id, owner is null from pixels_history").fetchall()
    assert row[0] == sandbox.account_ids[0]


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_what_is_wrong_with_a_table_of_objects_is_told_there_too(
    project: Callable[[str], Path],
) -> None:
    path = project(OBJECTS.replace("adspixels", "adspixel").replace("[last", "[lost"))

    with pytest.raises(ComponentTreeException) as caught:
        loaded(path)

    told = str(caught.value.__cause__)
    assert told.startswith("The table of objects pixels cannot be loaded:\n")
    assert "defs.yaml:4: edge: adspixel: unknown name; did you mean adspixels?" in told
    assert "defs.yaml:6: moving: lost_fired_time: unknown name" in told


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_everything_that_is_wrong_is_told_there_with_file_and_line(
    project: Callable[[str], Path],
) -> None:
    path = project(YAML.replace("impressions", "impresions").replace("[country]", "[contry]"))

    with pytest.raises(ComponentTreeException) as caught:
        loaded(path)

    told = str(caught.value.__cause__)
    assert told.startswith("The report spend_by_country cannot be loaded:\n")
    assert "somebodys/defs/spend/defs.yaml:5: breakdowns: contry: unknown name; did you" in told
    assert "somebodys/defs/spend/defs.yaml:6: fields: impresions: unknown name; did you" in told


def test_it_has_the_keys_and_the_values_of_a_report_in_the_folder_of_reports(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.yaml").write_text(YAML, encoding="utf-8")
    spec = read_files([tmp_path / "mine.yaml"]).specs["spend_by_country"]

    made = InsightsReport(**spec.model_dump())

    assert isinstance(made, ReportSpec)
    assert made.model_dump() == spec.model_dump()
    model = InsightsReport.get_model_cls()
    assert model is not None
    shown = {
        name: key["description"] for name, key in model.model_json_schema()["properties"].items()
    }
    assert shown == {name: key.description for name, key in ReportSpec.model_fields.items()}


def test_other_projects_find_it_and_so_does_this_one() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [found] = settings["project"]["entry-points"]["dagster_dg_cli.registry_modules"].values()

    assert settings["tool"]["dg"]["project"]["registry_modules"] == [found]
    assert importlib.import_module(found).InsightsReport is InsightsReport
