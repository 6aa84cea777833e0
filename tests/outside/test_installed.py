"""An installed fbinsights does outside the checkout what the README says of it."""

from __future__ import annotations

import csv
import json
import re
import signal
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.outside.conftest import Installed

TODAY = datetime.now(UTC).date()  # the sandbox's clock is this machine's
DAYS = ("--since", str(TODAY - timedelta(days=4)), "--until", str(TODAY - timedelta(days=3)))

#: What `fbinsights sandbox` prints.
URL_AND_TOKEN = re.compile(r"FB_GRAPH_URL=(\S+)\nFB_ACCESS_TOKEN=(\S+)\n")

#: A report of somebody's own.
REPORT = """\
type: pipelines.components.InsightsReport
attributes:
  name: insights_country
  level: campaign
  breakdowns: [country]
  fields: [impressions, clicks, spend]
"""

#: Whether the reader in C is used, and where the packages are.
ASKS = """
import json, sys, fbgraph, pipelines, warehouse
from importlib.util import find_spec
print(json.dumps({
    "reader": find_spec("warehouse.decode.native._reader") is not None,
    "files": [package.__file__ for package in (fbgraph, pipelines, warehouse)],
}))
"""


@contextmanager
def sandbox(installed: Installed) -> Iterator[dict[str, str]]:
    """The variables of a person who loads from `fbinsights sandbox`."""
    command = ("fbinsights", "sandbox", "--port", "0")
    with installed.start(*command) as server:
        assert server.stdout is not None
        said = ""
        while not (found := URL_AND_TOKEN.search(said)):
            line = server.stdout.readline()
            assert line, said
            said += line
        try:
            yield {"FB_GRAPH_URL": found[1], "FB_ACCESS_TOKEN": found[2]}
        finally:
            server.terminate()


def rows(text: str) -> list[dict[str, str]]:
    """Of CSV, after whatever was logged before it."""
    return list(csv.DictReader(text.splitlines()))


def test_it_is_what_was_built_and_runs_from_where_it_is_installed(installed: Installed) -> None:
    assert installed.run("fbinsights", "--version").split()[-1] == version("fbinsights")
    found = json.loads(installed.run("python", "-c", ASKS))

    assert found["reader"] == installed.has_reader
    assert all("site-packages" in file for file in found["files"])


def test_the_demo_loads_a_made_up_company_into_its_own_folder(
    installed: Installed, tmp_path: Path
) -> None:
    said = installed.run("fbinsights", "demo", cwd=tmp_path)

    assert "busiest_hour" in said
    assert "make " not in said
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.fixture(scope="module")
def loaded(
    installed: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A project folder with a report of one's own, and two days loaded into it."""
    folder = tmp_path_factory.mktemp("project")
    installed.run("fbinsights", "init", ".", cwd=folder)
    (folder / "reports" / "mine.yaml").write_text(REPORT, encoding="utf-8")
    with sandbox(installed) as environ:
        installed.run("fbinsights", "check", cwd=folder, **environ)
        for report in ("insights_hourly", "insights_country"):
            command = ("fbinsights", "backfill", *DAYS, "--report", report)
            installed.run(*command, cwd=folder, **environ)
        yield folder, environ


def test_what_it_loads_is_what_the_sandbox_has(
    installed: Installed, loaded: tuple[Path, dict[str, str]]
) -> None:
    folder, environ = loaded
    question = (
        "select account_id, date::text as date, sum(impressions)::bigint as impressions"
        " from insights_hourly group by all having impressions > 0 order by all"
    )

    found = rows(
        installed.run("fbinsights", "query", question, "--format", "csv", cwd=folder, **environ)
    )
    truth = [
        int(
            httpx.get(
                f"{environ['FB_GRAPH_URL']}/_sandbox/truth",
                params={"account_id": row["account_id"], "date": row["date"]},
            ).json()["sums"]["impressions"]
        )
        for row in found
    ]

    assert len(found) > 10
    assert [int(row["impressions"]) for row in found] == truth


def test_a_report_of_ones_own_is_loaded_published_and_asked(
    installed: Installed, loaded: tuple[Path, dict[str, str]]
) -> None:
    folder, environ = loaded
    question = "select count(*) as n, count(distinct country) as c from insights_country"

    installed.run("fbinsights", "publish", cwd=folder, **environ)
    [found] = rows(
        installed.run("fbinsights", "query", question, "--format", "csv", cwd=folder, **environ)
    )

    assert int(found["n"]) > 0
    assert int(found["c"]) > 1


def test_dagster_finds_its_definitions(
    installed: Installed, loaded: tuple[Path, dict[str, str]]
) -> None:
    folder, environ = loaded
    command = ("dagster", "definitions", "validate", "-m", "pipelines.definitions")

    said = installed.run(*command, cwd=folder, **environ)

    assert "Validation successful" in said


def test_dev_opens_dagster_on_the_project_folder(
    installed: Installed, loaded: tuple[Path, dict[str, str]]
) -> None:
    folder, environ = loaded
    asked = "{ assetNodes { assetKey { path } } }"

    with installed.start("fbinsights", "dev", "--port", "0", cwd=folder, **environ) as server:
        assert server.stdout is not None
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", said)):
            line = server.stdout.readline()
            assert line, said
            said += line
        try:
            answer = _answer(f"{found[0]}/graphql", {"query": asked})
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=120)

    names = {node["assetKey"]["path"][-1] for node in answer["data"]["assetNodes"]}
    assert {"insights_hourly", "insights_country", "warehouse_duckdb"} <= names
    assert server.returncode == 0


def _answer(url: str, body: dict[str, str]) -> dict[str, Any]:
    """What a server says that may still be starting."""
    deadline = time.monotonic() + 180
    while True:
        with suppress(httpx.TransportError):
            answer: dict[str, Any] = httpx.post(url, json=body, timeout=60).json()
            if answer["data"]["assetNodes"]:
                return answer
        assert time.monotonic() < deadline
        time.sleep(1)


def test_packages_of_ones_own_with_our_names_are_not_in_the_way(
    installed: Installed, tmp_path: Path
) -> None:
    for name in ("pipelines", "warehouse"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('theirs')")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked = ("-c", "import warehouse; print(warehouse.__file__)")

    command = installed.run("fbinsights", "check", cwd=tmp_path)
    safe = installed.run("python", "-P", *asked, cwd=tmp_path)
    options = ("--working-directory", str(elsewhere), "-m", "pipelines.definitions")
    listed = installed.run("dagster", "asset", "list", *options, cwd=tmp_path)

    assert "Reports that load: insights_hourly" in command
    assert "site-packages" in safe
    assert "insights_hourly" in listed
