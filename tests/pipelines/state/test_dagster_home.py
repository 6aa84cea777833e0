from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest

import pipelines.state.homes
from pipelines.errors import ConfigError
from pipelines.state.dagster_home import is_there, open_instance
from warehouse.storage.url import open_store

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


def test_without_a_home_it_is_the_checkouts_the_same_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    checkout.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "dagster.yaml", checkout)
    monkeypatch.setattr(pipelines.state.homes, "CHECKOUT", checkout)
    monkeypatch.chdir(elsewhere)
    assert not is_there({})

    with open_instance({}, open_store(str(tmp_path / "lake"))) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("accounts"))
        assert instance.run_retries_enabled  # its settings count

    assert is_there({})
    assert not list(elsewhere.iterdir())
    monkeypatch.chdir(checkout)  # as `dagster dev` is started
    with dg.DagsterInstance.from_config(str(checkout)) as pages:
        assert pages.get_latest_materialization_event(dg.AssetKey("accounts"))
