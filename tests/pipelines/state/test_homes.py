"""One Dagster home, one lake: its grid shows no other's days."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner

from pipelines.cli.commands.init import run_init
from pipelines.cli.main import cli
from pipelines.definitions import defs
from pipelines.errors import ConfigError
from pipelines.resources import GraphResource
from pipelines.state.homes import (
    NOTE,
    Shown,
    home_of,
    is_same,
    require_home,
    seems_to_show_another,
)
from tests.pipelines.conftest import DAYS
from tests.runs import run_job
from warehouse.lake.identity import KEY, claim
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

DAY = str(DAYS[-1])


@pytest.mark.parametrize(
    ("known", "met", "same"),
    [
        (Shown("a", "/lake"), Shown("a", "/lake"), True),
        (Shown("a", "/lake"), Shown("a", "/moved"), True),
        (Shown("a", "/lake"), Shown("b", "/lake"), True),  # removed and begun again
        (Shown("a", "/lake"), Shown("", "/lake"), True),  # the same, before it has an id
        (Shown("a", "/lake"), Shown("b", "/other"), False),
        (Shown("a", "/lake"), Shown("", "/other"), False),  # nothing was loaded there yet
    ],
)
def test_a_lake_is_known_by_its_id_and_one_begun_again_by_its_place(
    known: Shown,
    met: Shown,
    same: bool,  # noqa: FBT001  # of the table above
) -> None:
    assert is_same(known, met, is_still_there=False) == same


@pytest.mark.parametrize(("place", "same"), [("/lake", True), ("/copy", False)])
def test_a_lake_that_is_still_where_it_was_has_not_moved(place: str, *, same: bool) -> None:
    assert is_same(Shown("a", "/lake"), Shown("a", place), is_still_there=True) == same


def test_a_copy_is_refused_while_its_original_exists(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    environ = {"DAGSTER_HOME": instance.root_directory}
    first, copy = open_store(tmp_path / "first"), open_store(tmp_path / "copy")
    claim(first, "graph.facebook.com", lambda: "one")
    require_home(instance, first)
    shutil.copytree(first.root, copy.root)

    with pytest.raises(ConfigError) as refused:
        require_home(instance, copy)
    seemed = seems_to_show_another(environ, copy)
    (tmp_path / "again").symlink_to(first.root)
    require_home(instance, open_store(tmp_path / "again"))  # the same lake under another name
    shutil.rmtree(first.root)
    require_home(instance, copy)  # it is the only one now

    assert "is a copy of the first, which still exists" in str(refused.value)
    assert f"If you have moved the lake, remove {first.name()}" in str(refused.value)
    assert "give this lake a project folder of its own" in str(refused.value)
    assert (seemed, seems_to_show_another(environ, copy)) == (True, False)


def test_a_home_takes_the_first_lake_it_meets_and_follows_it(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first, second = open_store(tmp_path / "first"), open_store(tmp_path / "second")
    require_home(instance, first)  # nothing is there yet, so nothing is known
    require_home(instance, second)
    claim(first, "graph.facebook.com", lambda: "one")
    require_home(instance, first)

    with pytest.raises(
        ConfigError, match=rf"shows what is loaded in {first.root}/?, and WAREHOUSE"
    ):
        require_home(instance, second)
    shutil.move(first.root, tmp_path / "moved")
    require_home(instance, open_store(tmp_path / "moved"))
    (tmp_path / "moved" / KEY).unlink()
    require_home(instance, open_store(tmp_path / "moved"))
    with pytest.raises(ConfigError, match="one grid cannot show two lakes"):
        require_home(instance, first)


def test_a_copy_in_the_home_tells_a_command_whether_to_ask(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    environ = {"DAGSTER_HOME": instance.root_directory}
    first, second = open_store(tmp_path / "first"), open_store(tmp_path / "second")
    claim(first, "graph.facebook.com", lambda: "one")

    def seems() -> list[bool]:
        return [seems_to_show_another(environ, store) for store in (first, second)]

    before = seems()
    require_home(instance, first)
    after = seems()
    Path(instance.root_directory, NOTE).write_text("torn {")

    assert (before, after, seems()) == ([False, False], [False, True], [False, False])
    require_home(instance, first)
    assert seems() == [False, True]


@pytest.fixture
def elsewhere(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home that shows a lake, and an environment that names another."""
    assert run_job(instance, "accounts_job").success
    monkeypatch.setenv("WAREHOUSE_URL", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("DAGSTER_HOME", instance.root_directory)
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("command", [["backfill", "--since", DAY, "--until", DAY], ["refresh"]])
def test_a_command_refuses_and_writes_nothing(elsewhere: Path, command: list[str]) -> None:
    done = CliRunner().invoke(cli, command)

    assert done.exit_code == 2, done.output
    assert "one grid cannot show two lakes" in done.output
    assert "set DAGSTER_HOME to a folder of its own" in done.output
    assert not (elsewhere / KEY).exists()
    assert not list(elsewhere.rglob("*.parquet"))


def test_where_only_the_storage_of_the_home_knows_nothing_of_it_is_in_the_grid(
    elsewhere: Path, instance: dg.DagsterInstance
) -> None:
    Path(instance.root_directory, NOTE).unlink()
    before = instance.get_dynamic_partitions("ad_accounts")

    done = CliRunner().invoke(cli, ["backfill", "--since", DAY, "--until", DAY])

    assert done.exit_code == 0, done.output
    assert "could not be reported to Dagster: The Dagster home" in done.output
    assert "one grid cannot show two lakes" in done.output
    assert [*elsewhere.glob(f"insights_hourly/*/date={DAY}/data.parquet")]
    assert [*elsewhere.glob(".unreported/*")]
    assert not instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))
    assert instance.get_dynamic_partitions("ad_accounts") == before


@pytest.mark.parametrize(
    ("job", "key"),
    [
        ("accounts_job", None),
        ("objects_job", "act_200010000310042"),
        ("insights_hourly_job", f"act_200010000310042|{DAY}"),
        ("refresh_job", None),
        ("publish_job", None),
    ],
)
def test_runs_of_dagster_refuse_and_paint_nothing(
    elsewhere: Path, instance: dg.DagsterInstance, sandbox: Sandbox, job: str, key: str | None
) -> None:
    before = sandbox.calls()["total"]

    result = run_job(instance, job, key, key)

    assert "one grid cannot show two lakes" in result.stopped
    assert sandbox.calls()["total"] == before
    assert not (elsewhere / KEY).exists()
    assert not list(elsewhere.rglob("*.parquet"))
    assert not instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))


@pytest.mark.parametrize("name", ["new_accounts", "access_ends", "follow_lake", "freshness"])
def test_sensors_refuse(elsewhere: Path, instance: dg.DagsterInstance, name: str) -> None:
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance, repository_def=repository, resources={"graph": GraphResource()}
    )

    with pytest.raises(Exception, match="one grid cannot show two lakes"):
        repository.get_sensor_def(name).evaluate_tick(context)
    assert not elsewhere.exists() or not list(elsewhere.rglob("*.parquet"))


def test_a_lake_that_was_moved_goes_on_in_its_home(
    elsewhere: Path, instance: dg.DagsterInstance, lake: Lake
) -> None:
    shutil.move(lake.root, elsewhere)

    assert run_job(instance, "accounts_job").success


@pytest.mark.parametrize("name", ["ads [2026]", "a%20b", "what?", "ads*"])
def test_a_folder_whose_path_dagster_would_misread_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()

    with pytest.raises(ConfigError, match=r"Dagster cannot work in .* literally\. Rename the"):
        home_of({"DAGSTER_HOME": str(folder)})
    with pytest.raises(ConfigError, match="Dagster cannot work in"):
        run_init(folder)
    assert not list(folder.iterdir())


def test_a_file_in_the_place_of_the_home_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dagster").touch()

    with pytest.raises(ConfigError, match=r"/\.dagster is not a folder, and .* Move it away, then"):
        home_of({})
