"""The demo as a newcomer runs it: in a folder of its own, whatever they have set."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.cli.commands.demo import ENV_HEAD, SEE_LOADS, not_the_demos
from tests.pace import QUICK_DISK

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = str(Path(sys.executable).with_name("fbinsights"))

#: What a company has set, for itself or in its `.env`.
THEIRS = {
    "FB_ACCESS_TOKEN": "EAAtheirs",
    "FB_APP_SECRET": "theirs",
    "FB_ACCOUNT_IDS": "123",
    "WAREHOUSE_URL": "./data",
}


def run(folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    settings = {"PATH": os.environ["PATH"], "HOME": str(folder), **QUICK_DISK}
    return subprocess.run(  # noqa: S603  # our own command
        command, cwd=folder, env=settings | environ, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newcomer stands, with a `.env` of their company."""
    folder = tmp_path_factory.mktemp("newcomer")
    lines = [f"{name}={value}\n" for name, value in THEIRS.items()]
    (folder / ".env").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    """What the demo has printed there."""
    done = run(folder, COMMAND, "demo")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def typed(told: str, ending: str) -> list[str]:
    """The words of a line that the demo tells to type, as a shell reads them in that folder."""
    told = re.sub(r" \\\n +", " ", told)
    line = re.search(rf"^    (.*{ending}.*)$", told, re.MULTILINE)
    assert line
    return shlex.split(line[1])


def settings_in(words: Sequence[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words if re.match("[A-Z_]+=", word))


def test_it_loads_proves_and_answers_without_a_token(told: str) -> None:
    assert "Every account-day holds exactly what the sandbox says it served." in told
    busiest = told.partition("The busiest hour of each account:")[2].partition("Next:")[0]
    assert "Nordlicht US" in busiest
    # It advertises on summer weekends, so it depends on the day of this test which of them it is.
    idle = "Kea Kayaks is not listed: nothing was shown in any hour of these days."
    assert (idle in busiest) != bool(re.search("^Kea Kayaks  ", busiest, re.MULTILINE))
    assert "21 account-days: 21 proven." in told
    # Each day's totals prove its hours and its days: 3 days of hours, and 28 of days.
    assert re.search(rf"^loads +{7 * (3 + 28 + 28)} ", told, re.MULTILINE)
    assert "loads has each account-day twice" in told


def test_it_stays_in_its_own_folder(folder: Path, told: str) -> None:
    assert "- everything is in ./demo." in told
    assert {path.name for path in folder.iterdir()} == {".env", "demo"}
    assert (folder / "demo" / ".lake.json").exists()


def test_the_line_for_a_query_asks_that_folder(folder: Path, told: str) -> None:
    words = typed(told, "from loads")

    done = run(folder / "demo", COMMAND, *words[-2:])

    assert typed(told, "cd ") == ["cd", "demo"]
    assert words[-2:] == ["query", SEE_LOADS]
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("proven") == 7 * (3 + 28 + 28)


def test_it_makes_a_page_and_names_it(folder: Path, told: str) -> None:
    page = folder / "demo" / "overview.html"

    assert f"    {page.resolve().as_uri()}\n" in told
    assert "Every number below is complete." in page.read_text(encoding="utf-8")
    assert "not comparable" not in page.read_text(encoding="utf-8").partition("<article")[0]


def test_its_folder_has_dagsters_grid_and_limits_and_no_telemetry(folder: Path, told: str) -> None:
    with dg.DagsterInstance.from_config(str(folder / "demo" / ".dagster")) as instance:
        cells = instance.get_materialized_partitions(dg.AssetKey("insights_hourly"))
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().run_queue_config
    assert len(cells) == 7 * 3
    assert typed(told, "fbinsights dev")[-1] == "dev"


def test_a_second_time_it_uses_what_is_there_whatever_the_newcomer_has_exported(
    folder: Path, told: str
) -> None:
    identity = (folder / "demo" / ".lake.json").read_bytes()
    theirs = {"WAREHOUSE_URL": "./data", "FB_APP_SECRET": "theirs", "DAGSTER_HOME": str(folder)}

    ended_midway = folder / "demo" / ".runs" / "insights_hourly" / "1" / "run.json"
    ended_midway.parent.mkdir(parents=True)
    ended_midway.write_text("{}")

    again = run(folder, COMMAND, "demo", **theirs)
    words = typed(again.stderr, "from loads")
    asked = run(folder / "demo", COMMAND, *words[-2:], **theirs | settings_in(words))

    assert again.returncode == 0, again.stderr
    assert not ended_midway.exists()  # the sandbox that had it is gone
    assert (folder / "demo" / ".lake.json").read_bytes() == identity
    assert settings_in(words) == {"WAREHOUSE_URL": ".", "FB_APP_SECRET": "", "DAGSTER_HOME": ""}
    assert asked.stdout.count("proven") >= 7
    assert settings_in(typed(told, "from loads")) == {}


def test_it_says_make_nowhere(told: str) -> None:
    assert not re.search(r"\bmake [a-z]", told)


@pytest.mark.slow
def test_another_seed_has_a_folder_of_its_own(folder: Path, told: str) -> None:
    identity = (folder / "demo" / ".lake.json").read_bytes()

    other = run(folder, COMMAND, "demo", "--seed", "7")

    assert other.returncode == 0, other.stderr
    assert (folder / "demo" / ".lake.json").read_bytes() == identity
    assert b"seed 7" in (folder / "demo-seed-7" / ".lake.json").read_bytes()
    assert "    cd demo-seed-7\n" in other.stderr
    assert "sandbox --seed 7" in other.stderr
    assert typed(told, "sandbox")[-1] == "sandbox"


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").write_text("mine")

    done = run(tmp_path, COMMAND, "demo")

    assert done.returncode == 2
    assert "holds files that are not the demo's. Run the demo in another folder" in done.stderr
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["thesis.txt"]


def test_a_demo_that_was_ended_midway_has_its_folder(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    (tmp_path / ".env").write_text("WAREHOUSE_URL=.\n")
    others = not_the_demos(tmp_path, [], "http://127.0.0.1:1")
    (tmp_path / ".env").write_text(f"{ENV_HEAD}\nWAREHOUSE_URL=.\n")

    assert others == "holds files that are not the demo's"
    assert not_the_demos(tmp_path, [], "http://127.0.0.1:1") == ""


def test_the_demo_of_another_company_is_left_alone(folder: Path, told: str, tmp_path: Path) -> None:
    """An earlier version's demo had another one, with accounts of the same ids."""
    del told
    shutil.copytree(folder / "demo", tmp_path / "demo")
    identity = tmp_path / "demo" / ".lake.json"
    identity.write_text(identity.read_text().replace("the sandbox's company", "the sandbox"))

    done = run(tmp_path, COMMAND, "demo")

    assert done.returncode == 2
    assert "holds another company, maybe that of an earlier version's demo" in done.stderr


def test_another_lake_in_its_place_is_left_alone(folder: Path, told: str, tmp_path: Path) -> None:
    del told
    (tmp_path / "demo-seed-7").symlink_to(folder / "demo")

    done = run(tmp_path, COMMAND, "demo", "--seed", "7")

    assert done.returncode == 2
    assert "which is not the demo's" in done.stderr
