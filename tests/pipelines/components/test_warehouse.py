"""The component Warehouse in a Dagster project of somebody else, loaded as Dagster loads it."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster.components.core.component_tree import ComponentTreeException

from pipelines.asset_keys import AssetKeys
from pipelines.cli.session import run_publish
from pipelines.definitions import defs as ours
from pipelines.defs.event_log.runless import report_published
from pipelines.errors import ConfigError
from pipelines.reports.catalog import reports_of
from pipelines.resources import GraphResource
from tests.runs import run_job
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

pytestmark = pytest.mark.filterwarnings(
    "ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning"
)

WAREHOUSE = """\
type: pipelines.components.Warehouse
attributes: {key_prefix: [ads, meta], group_name: paid}
"""
REPORT = """\
type: pipelines.components.InsightsReport
attributes:
  name: mine
  level: campaign
  fields: [spend]
"""
THEIRS = """\
import dagster as dg

@dg.op
def breaks() -> None:
    raise ValueError("theirs")

@dg.job
def theirs() -> None:
    breaks()
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Write files of a project's definitions, and load them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def loading(**files: str) -> dg.Definitions:
        (tmp_path / "pyproject.toml").write_text(
            '[tool.dg]\ndirectory_type = "project"\n[tool.dg.project]\nroot_module = "theirs"\n',
            encoding="utf-8",
        )
        for name, text in {"__init__.py": "", "defs/__init__.py": "", **files}.items():
            file = tmp_path / "theirs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return dg.load_from_defs_folder(path_within_project=tmp_path / "theirs")

    yield loading
    for name in [name for name in sys.modules if name.partition(".")[0] == "theirs"]:
        del sys.modules[name]


def keys_of(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


def test_without_attributes_it_brings_what_our_own_code_location_has(
    load: Callable[..., dg.Definitions],
) -> None:
    found = load(**{"defs/meta/defs.yaml": f"{WAREHOUSE.splitlines()[0]}\nattributes: {{}}\n"})

    dg.Definitions.validate_loadable(found)
    name = "insights_age_gender"
    own = {name, f"{name}_actions", f"{name}_job"}
    assert keys_of(found) == keys_of(ours) - own
    there, here = found.get_repository_def(), ours.get_repository_def()
    assert {*there.job_names} == {*here.job_names} - own
    assert {one.name for one in there.sensor_defs} == {one.name for one in here.sensor_defs}
    assert {one.name for one in there.schedule_defs} == {one.name for one in here.schedule_defs}
    checks = ours.resolve_asset_graph().asset_check_keys
    assert found.resolve_asset_graph().asset_check_keys == {
        key for key in checks if key.asset_key.path[-1] not in own
    }


def test_everything_is_under_its_prefix_and_in_its_group_and_is_selected_there(
    load: Callable[..., dg.Definitions],
) -> None:
    found = load(**{"defs/meta/defs.yaml": WAREHOUSE, "defs/mine/defs.yaml": REPORT})

    graph = found.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    dg.Definitions.validate_loadable(found)
    assert groups == {"paid"}
    assert all(key.startswith("ads/meta/") for key in keys_of(found))
    assert graph.get(dg.AssetKey(["ads", "meta", "mine"])).parent_keys == {
        dg.AssetKey(["ads", "meta", "accounts"])
    }
    above = graph.get(dg.AssetKey(["ads", "meta", "lake"])).parent_keys
    assert dg.AssetKey(["ads", "meta", "mine"]) in above
    for job, assets in (("mine_job", {"mine"}), ("publish_job", {"warehouse_duckdb"})):
        selected = found.resolve_job_def(job).asset_layer.executable_asset_keys
        assert selected == {dg.AssetKey(["ads", "meta", asset]) for asset in assets}
    assert {key.asset_key.path[0] for key in graph.asset_check_keys} == {"ads"}


@pytest.mark.slow
def test_a_refresh_a_publish_and_the_sensors_record_nothing_elsewhere(
    load: Callable[..., dg.Definitions],
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    lake: Lake,
) -> None:
    found = load(**{"defs/meta/defs.yaml": WAREHOUSE, "defs/mine/defs.yaml": REPORT})
    account = f"act_{sandbox.account_ids[0]}"
    config = {"accounts": [account], "as_of": "2026-11-23T20:00:00+00:00"}
    assert run_job(instance, "accounts_job", of=found).success
    one = f"{account}|2026-11-20"
    assert run_job(instance, "mine_job", one, one, of=found).success

    refreshed = run_job(instance, "refresh_job", config={"look": config}, of=found)
    report_published(instance, publish(lake.root), reports_of({}))
    recorded = {key.to_user_string() for key in instance.all_asset_keys()}
    ticked = {
        event.asset_key.to_user_string()
        for name in ("freshness", "access_ends")
        for event in tick(found, name, instance).asset_events
    }

    assert refreshed.success, refreshed
    days = instance.get_materialized_partitions(dg.AssetKey(["ads", "meta", "mine"]))
    assert {f"{account}|2026-11-{day}" for day in (20, 21, 22)} <= days
    names = "accounts campaigns mine control_daily lake warehouse_duckdb refresh health".split()
    assert {f"ads/meta/{name}" for name in names} <= recorded
    assert recorded <= keys_of(found)
    assert ticked
    assert ticked <= keys_of(found)


def test_a_command_outside_the_project_is_told_where_to_start(
    load: Callable[..., dg.Definitions],
    instance: dg.DagsterInstance,
    lake: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would report assets under names that the project does not have."""
    found = load(**{"defs/meta/defs.yaml": WAREHOUSE})
    assert run_job(instance, "accounts_job", of=found).success
    before = instance.all_asset_keys()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "pyproject.toml").rename(tmp_path / "moved.toml")
    published = publish(lake.root)

    with pytest.raises(ConfigError) as caught:
        report_published(instance, published, reports_of({}))

    told = str(caught.value)
    assert "has the asset ads/meta/lake, and this command would report lake" in told
    assert "set FB_REPORTS to that folder" in told
    assert instance.all_asset_keys() == before
    report_published(instance, published, reports_of({"FB_REPORTS": str(tmp_path / "theirs")}))
    assert dg.AssetKey(["ads", "meta", "lake"]) in instance.all_asset_keys()


def tick(found: dg.Definitions, name: str, instance: dg.DagsterInstance) -> Any:
    sensor: Any = found.get_repository_def().get_sensor_def(name)
    context = dg.build_sensor_context(
        instance=instance, resources={"graph": GraphResource()}, sensor_name=name
    )
    return sensor.evaluate_tick(context)


def test_only_our_runs_are_alerted_on(
    load: Callable[..., dg.Definitions],
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.use("expired_token")
    found = load(**{"defs/meta/defs.yaml": WAREHOUSE, "defs/own.py": THEIRS})
    sensor: Any = found.get_repository_def().get_sensor_def("failed_runs")

    said = {}
    for job in ("theirs", "accounts_job"):
        result = found.resolve_job_def(job).execute_in_process(
            instance=instance, raise_on_error=False
        )
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
            resources={"graph": GraphResource()},
        ).for_run_failure()
        caplog.clear()
        skipped = sensor(context)
        said[job] = skipped.skip_message if skipped else "\n".join(caplog.messages)

    assert said["theirs"] == "The run of theirs is not one of fbinsights."
    assert "fbinsights: accounts_job failed" in said["accounts_job"]


def cause(caught: pytest.ExceptionInfo[ComponentTreeException]) -> str:
    return str(caught.value.__cause__)


def test_one_name_in_two_files_stops_the_code_location_with_both(
    load: Callable[..., dg.Definitions],
) -> None:
    """Their tables would be one, whatever their keys are."""
    again = f"{REPORT}  key_prefix: other\n"

    with pytest.raises(ComponentTreeException) as caught:
        load(**{"defs/mine/defs.yaml": REPORT, "defs/other/defs.yaml": again})

    told = "theirs/defs/mine/defs.yaml:3: name: mine: this name is also in "
    assert f"{told}theirs/defs/other/defs.yaml:3, so none of them is loaded" in cause(caught)


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ("{key_prefix: [a b]}", "theirs/defs/meta/defs.yaml:2: key_prefix: a b: use letters"),
        ("{key_prefix: '{{ 1 + 1 }}s'}", "theirs/defs/meta/defs.yaml:2: key_prefix: {{ 1 + 1 }}"),
    ],
)
def test_a_prefix_that_cannot_be_read_stops_the_code_location(
    load: Callable[..., dg.Definitions], attributes: str, told: str
) -> None:
    kind = WAREHOUSE.splitlines()[0]

    with pytest.raises(ComponentTreeException) as caught:
        load(**{"defs/meta/defs.yaml": f"{kind}\nattributes: {attributes}\n"})

    assert told in cause(caught)


def test_a_report_in_python_loads_and_a_warning_says_who_does_not_know_it(
    load: Callable[..., dg.Definitions], caplog: pytest.LogCaptureFixture
) -> None:
    code = """\
import dagster as dg
from pipelines.components import InsightsReport

@dg.component_instance
def load(context: dg.ComponentLoadContext) -> InsightsReport:
    return InsightsReport(name="mine", level="campaign", fields=("spend",))
"""
    with caplog.at_level(logging.WARNING):
        found = load(**{"defs/meta/defs.yaml": WAREHOUSE, "defs/mine/component.py": code})

    assert "ads/meta/mine" in keys_of(found)
    [warning] = [text for text in caplog.messages if "this report cannot be read" in text]
    assert warning.startswith("theirs/defs/mine/component.py: name: mine: ")


def test_where_the_prefix_is_unknown_the_command_line_records_nothing(
    load: Callable[..., dg.Definitions],
    instance: dg.DagsterInstance,
    lake: Lake,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert run_job(instance, "accounts_job").success
    before = instance.all_asset_keys()
    monkeypatch.setenv("DAGSTER_HOME", instance.root_directory)
    with pytest.raises(ComponentTreeException):
        load(**{"defs/meta/defs.yaml": WAREHOUSE.replace("group_name", "group")})
    known = reports_of({})
    environ = {
        "WAREHOUSE_URL": str(lake.root), "DAGSTER_HOME": instance.root_directory,
        "FB_ACCESS_TOKEN": sandbox.token, "FB_GRAPH_URL": sandbox.url,
    }  # fmt: skip

    published = run_publish(environ, known)

    assert published.rows["accounts"] == len(sandbox.account_ids)
    assert "so the keys of its assets are unknown: `fbinsights check`" in caplog.text
    assert instance.all_asset_keys() == before
    with pytest.raises(ConfigError):
        AssetKeys.of(known)
