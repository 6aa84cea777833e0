from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.errors import ConfigError
from pipelines.state.dagster_home import databases_open, is_there, open_instance
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return folder


@pytest.mark.parametrize("home", ["dagster", "/nowhere/at/all", __file__])
def test_a_home_of_dagster_that_is_not_a_folder_is_a_wrong_setting(
    home: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigError, match="DAGSTER_HOME must be the absolute path"),
        open_instance({"DAGSTER_HOME": home}, open_store(str(tmp_path))),
    ):
        pass


def test_first_commands_at_the_same_time_do_not_spoil_dagsters_database(
    home: Path, tmp_path: Path
) -> None:
    def visit(_: int) -> int:
        with open_instance({"DAGSTER_HOME": str(home)}, open_store(str(tmp_path))) as instance:
            return instance.get_runs_count()

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(visit, range(4)))

    assert [*counts, visit(4)] == [0] * 5


def test_databases_that_are_kept_open_take_events_without_a_rewrite_for_each(
    home: Path, tmp_path: Path
) -> None:
    def logs() -> set[str]:
        return {path.name for path in (home / "history" / "runs").glob("*.db-wal")}

    def loaded(day: int) -> dg.AssetMaterialization:
        return dg.AssetMaterialization("ads", partition=f"2026-11-{day:02}")

    with open_instance({"DAGSTER_HOME": str(home)}, open_store(str(tmp_path))) as instance:
        instance.report_runless_asset_event(loaded(1))
        before = logs()
        with databases_open(instance):
            instance.report_runless_asset_event(loaded(2))
            during = logs()
        assert (before, during, logs()) == (set(), {"index.db-wal", ".db-wal"}, set())
        found = instance.get_materialized_partitions(dg.AssetKey("ads"))
        assert found == {"2026-11-01", "2026-11-02"}


def project(folder: Path) -> Path:
    """A new project folder."""
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    return folder


def put(folder: Path, asset: str, environ: Mapping[str, str]) -> None:
    with open_instance(environ, open_store(str(folder / "data"))) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(asset))


def assets_in(home: Path) -> set[str]:
    """What Dagster's own processes see there."""
    with dg.DagsterInstance.from_config(str(home)) as pages:
        return {key.to_user_string() for key in pages.all_asset_keys()}


def test_without_a_home_it_is_the_folders_own_with_the_folders_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "ads")
    monkeypatch.chdir(folder)
    assert not is_there({})

    put(folder, "accounts", {})

    assert is_there({})
    assert {path.name for path in folder.iterdir()} == {"dagster.yaml", ".dagster"}
    with dg.DagsterInstance.from_config(str(folder / ".dagster")) as pages:
        assert not pages.telemetry_enabled
        assert pages.run_retries_enabled
        assert pages.get_latest_materialization_event(dg.AssetKey("accounts"))


def test_one_home_has_one_history_from_wherever_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "ads")
    home = folder / ".dagster"
    monkeypatch.chdir(folder)
    put(folder, "accounts", {})
    monkeypatch.chdir(tmp_path)

    put(folder, "ads", {"DAGSTER_HOME": str(home)})
    put(folder, "adsets", {"DAGSTER_HOME": str(folder)})  # as it was written until 0.1.0

    assert assets_in(home) == {"accounts", "ads", "adsets"}
    assert {path.name for path in folder.iterdir()} == {"dagster.yaml", ".dagster"}
    assert [path.name for path in tmp_path.iterdir()] == ["ads"]


OLD = """\
telemetry: {enabled: false}
storage: {sqlite: {base_dir: .dagster}}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {base_dir: .dagster/logs}
"""


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_history_of_a_checkout_of_yesterday_stays(
    *, is_kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its settings are those of yesterday, a copy of one's own, or came with the update."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(OLD)
    monkeypatch.chdir(folder)  # where yesterday's Dagster was started
    with dg.DagsterInstance.from_config(str(folder)) as yesterdays:
        yesterdays.report_runless_asset_event(dg.AssetMaterialization("accounts"))
    (folder / ".dagster" / "logs" / "a-run").mkdir(parents=True)
    if not is_kept:
        shutil.copy(ROOT / "dagster.yaml", folder)
    monkeypatch.chdir(tmp_path)

    put(folder, "ads", {"DAGSTER_HOME": str(folder)})

    monkeypatch.chdir(folder)
    assert assets_in(folder if is_kept else folder / ".dagster") == {"accounts", "ads"}
    logs = "logs" if is_kept else "storage"
    assert (folder / ".dagster" / logs / "a-run").is_dir()


def test_settings_of_its_own_in_a_home_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path / "ads")
    own = folder / ".dagster" / "dagster.yaml"
    own.parent.mkdir()
    own.write_text("telemetry: {enabled: false}\nnux: {enabled: true}\n")
    monkeypatch.chdir(folder)

    put(folder, "accounts", {})

    assert not own.is_symlink()
    assert own.read_text().endswith("nux: {enabled: true}\n")
