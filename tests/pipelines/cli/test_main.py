from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fbgraph.sandbox import WORLDS
from pipelines.cli.commands.servers import left_over, linked_to, run_dev
from pipelines.cli.main import cli
from pipelines.cli.output.terminal import escape_unencodable, only_once
from pipelines.errors import ConfigError
from pipelines.state.homes import FOLDER_VARIABLE
from pipelines.variables import VARIABLES
from tests.seeds import seed_lake

if TYPE_CHECKING:
    from pathlib import Path

    from fbgraph.sandbox import Sandbox


def test_a_warning_is_told_once_however_many_clients_have_it() -> None:
    is_new = only_once()

    def record(text: str) -> logging.LogRecord:
        return logging.LogRecord("fbgraph", logging.WARNING, "", 0, text, None, None)

    told = [is_new(record(text)) for text in ("served by v25.0", "served by v25.0", "another")]

    assert told == [True, False, True]


def test_settings_in_another_encoding_are_a_wrong_setting_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes("# für später".encode("latin-1"))
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(cli, ["query", "select 1"])

    assert (done.exit_code, done.stderr[:38]) == (2, "fbinsights: .env is not written in UTF")


@pytest.mark.parametrize("command", ["refresh", "refresh --today"])
def test_a_full_disk_is_said_with_what_to_do(
    sandbox: Sandbox, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FB_GRAPH_URL", sandbox.url)
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.token)
    monkeypatch.setenv("WAREHOUSE_URL", str(seed_lake(small_disk / "lake")))
    with suppress(OSError):
        (small_disk / "filler").write_bytes(bytes(3_000_000))

    done = CliRunner().invoke(cli, command.split())

    assert done.exit_code == 2
    told = r"fbinsights: Cannot write.*: No space left on device\. Free disk space, then run the sa"
    assert re.match(told, done.stderr.splitlines()[-1])


def test_a_first_load_stops_where_the_disk_is_too_full_for_what_it_begins_with(
    sandbox: Sandbox, small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FB_GRAPH_URL", sandbox.url)
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.token)
    monkeypatch.setenv("WAREHOUSE_URL", str(small_disk / "lake"))
    with suppress(OSError), (small_disk / "filler").open("xb") as filler:
        filler.write(bytes(3_000_000))
    os.truncate(small_disk / "filler", (small_disk / "filler").stat().st_size - 4096)

    done = CliRunner().invoke(cli, "backfill --since 2026-11-20 --until 2026-11-20".split())

    assert done.exit_code == 2
    assert "Stopped: Cannot write: No space left on device. Free disk space" in done.stderr
    assert "does not see" not in done.stderr


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--port=99999", "0<=x<=65535"),
        ("--port=-1", "0<=x<=65535"),
        ("--latency=-1", "0<=x<=100"),
        ("--latency=nan", "is not a number"),
        ("--latency=inf", ""),
        ("--world=flat", f"'flat' is not one of {', '.join(map(repr, sorted(WORLDS)))}"),
    ],
)
def test_a_sandbox_with_an_impossible_option_is_wrong_use_and_no_traceback(
    option: str, told: str
) -> None:
    done = CliRunner().invoke(cli, ["sandbox", option])

    assert (done.exit_code, told in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--dbt", "--ddl", "spark"], "--ddl and --dbt exclude each other"),
        (["--presets", "--breakdowns"], "--breakdowns and --presets exclude each other"),
        (["ads", "--presets"], "--presets takes no TABLE (ads)"),
    ],
)
def test_docs_prints_one_page_at_a_time(arguments: list[str], why: str) -> None:
    done = CliRunner().invoke(cli, ["docs", *arguments])

    assert done.exit_code == 2
    assert why in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--since 2026-11-31 --until 2026-12-01", "'2026-11-31' is not a day"),
        ("--since 2026-11-21 --until 2026-11-20", "is after --until"),
        ("--since 2026-11-21", "Missing option '--until'"),
    ],
)
def test_a_range_that_is_not_one_is_wrong_use(arguments: str, told: str) -> None:
    done = CliRunner().invoke(cli, ["backfill", *arguments.split()])

    assert (done.exit_code, told in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_each_command_has_help_that_needs_no_settings(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)

    done = CliRunner().invoke(cli, [command, "--help"], prog_name="fbinsights")

    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: fbinsights {command} ")


def test_a_sandbox_whose_port_is_taken_says_how_to_have_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(cli, ["sandbox", f"--port={port}"])

    assert done.exit_code == 2
    assert f"port {port} is in use" in done.stderr
    assert "stop that one, or add --port 0." in done.stderr


def test_limits_that_are_not_yaml_keep_dagster_from_starting_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled", encoding="utf-8")

    with pytest.raises(
        ConfigError, match=r"^dagster.yaml is not YAML: .*\. Fix it; `.* check` names"
    ):
        run_dev({"FB_ACCESS_TOKEN": "x"}, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, r"^\S+ is not a project folder: it has no dagster.yaml\. Run this in your"),
        ({"FB_API_VERSION": "26"}, "^FB_API_VERSION is not a version"),
    ],
)
def test_dagster_is_not_started_outside_of_a_project_nor_with_wrong_settings(
    environ: dict[str, str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=why):
        run_dev(environ, "127.0.0.1", 0)


def test_alerts_link_to_the_port_of_dagster_unless_the_settings_name_an_address() -> None:
    url, open_to_all = "http://127.0.0.1:3100", ".".join("0" * 4)

    assert linked_to({}, "127.0.0.1", url) == {"FB_DAGSTER_URL": url}
    assert linked_to({"FB_DAGSTER_URL": "https://dagster.example.com"}, "127.0.0.1", url) == {}
    assert linked_to({}, open_to_all, "http://0.0.0.0:3100") == {}


def test_a_terminal_of_few_letters_shows_the_others_as_escapes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="latin-1", write_through=True)
    monkeypatch.setattr("sys.stdout", terminal)

    escape_unencodable()
    terminal.write("K\u00f6ln \u6771")

    assert written.getvalue() == b"K\xf6ln \\u6771"


#: A command of its own that leaves something to do at exit, and something that is told of its end.
PROGRAM = """
import atexit, click, sys
from pipelines.cli.main import cli, main

class Told:
    def __del__(self):
        print("taken apart")

@cli.command()
def remember():
    atexit.register(print, "seen to at exit")
    print("done")
    sys.exit(1)

told = Told()
main()
"""


def test_a_command_ends_with_its_code_when_all_is_written_and_seen_to() -> None:
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", PROGRAM, "remember"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "done\nseen to at exit\n")


def test_what_loads_and_publishes_knows_no_dagster() -> None:
    modules = "pipelines.cli.commands.backfill, pipelines.cli.commands.refresh"
    program = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert {"duckdb", "pyarrow"} <= {*done.stdout.split()}
    assert not {"dagster", "sqlalchemy", "pandas"} & {*done.stdout.split()}


def test_what_is_left_of_a_dagster_that_was_killed_is_found_by_its_home(tmp_path: Path) -> None:
    waiting = [sys.executable, "-c", "input()", "dagster._daemon"]
    of_home = {"DAGSTER_HOME": str(tmp_path), FOLDER_VARIABLE: "/ads"}
    environs = (of_home, of_home | {"DAGSTER_HOME": "/elsewhere"}, {"DAGSTER_HOME": str(tmp_path)})

    with ExitStack() as closing:
        ours, *_ = [
            closing.enter_context(
                subprocess.Popen(waiting, env=environ, stdin=subprocess.PIPE)  # noqa: S603  # Python
            )
            for environ in environs
        ]
        found = left_over(tmp_path)

    assert found == [ours.pid]
