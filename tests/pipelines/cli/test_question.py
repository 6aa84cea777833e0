"""`fbinsights query` reads the published tables and the lake; all else is refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from click.testing import CliRunner

from pipelines.cli.main import cli
from tests.pace import PATIENCE_SECONDS, within
from tests.pseudo_terminal import Terminal
from warehouse.lake.partitions import Lake
from warehouse.published.publish import LINK, publish
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Characters that SQL, globs and DuckDB's patterns give a meaning.
ODD_NAME = "the [l]ake's *"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("question") / ODD_NAME)
    row = {"account_id": "11", "ad_id": "1", "ad_name": "one", "fetched_at": datetime.now(UTC)}
    ads = pa.Table.from_pylist([row], schema=TABLES["ads"].arrow_schema)
    made.replace("ads", ads, account_id="11")
    publish(made.root)
    return made


def command(lake: Lake, *arguments: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("fbinsights")
    return subprocess.Popen(  # noqa: S603  our own command
        [program, *arguments],
        env={**os.environ, "WAREHOUSE_URL": str(lake.root)},
        cwd=lake.root.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(lake: Lake, sql: str) -> tuple[int, str, str]:
    arguments = ["query", sql, "--format", "csv"]
    asked = CliRunner().invoke(cli, arguments, env={"WAREHOUSE_URL": str(lake.root)})
    return asked.exit_code, asked.stdout, asked.stderr


def content(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "sql",
    [
        *("select count(*) from ads", "from ads", "from lake.ads", "with a as (from ads) from a"),
        *("values (1)", "show tables", "describe ads", "summarize ads", "table ads"),
        *("pivot ads on account_id using count(*)", "select 'copy' as \"copy\"; -- copy"),
        *("explain from ads", "EXPLAIN ANALYZE from lake.ads", "explain (format json) from ads"),
        *("/* copy */ explain -- x\n analyze select 1", "-- a = b\nfrom ads", "--\nfrom ads"),
    ],
)
def test_what_reads_is_answered(sql: str, lake: Lake) -> None:
    code, answer, error = ask(lake, sql)

    assert (code, error[: error.find("has been loaded")]) == (0, "No account-day ")
    assert len(answer.splitlines()) > 1


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("copy ads to '{file}'", "COPY does more than read"),
        ("with x as (copy (select 1) to '{file}') from x", "COPY does more than read"),
        ("with x as (COPY (select 1 a) to '{file}') pivot x on Count using count(*)", "COPY does"),
        ("explain analyze copy (select 1) to '{file}'", "COPY does more than read"),
        ("explain analyze call force_checkpoint()", "EXPLAIN is only allowed for"),
        ("explain (analyze) call force_checkpoint()", "EXPLAIN is only allowed for"),
        ("export database '{folder}'", "EXPORT does more"),
        ("attach '{file}' as x", "ATTACH does more"),
        ("install httpfs", "INSTALL does more"),
        ("load httpfs", "LOAD does more"),
        ("set enable_external_access = true", "SET does more"),
        ("pragma enable_profiling", "PRAGMA does more"),
        ("call force_checkpoint()", "CALL does more"),
        ("create table x (a int)", "CREATE does more"),
        ("insert into ads select * from ads", "INSERT does more"),
        ("delete from ads", "DELETE does more"),
        ("with x as (select 1) insert into ads select * from ads", "INSERT does more"),
        ("update ads set ad_name = 'x'", "UPDATE does more"),
        ("drop table ads", "DROP does more"),
        ("prepare x as select 1", "PREPARE does more"),
        ("select 1; copy ads to '{file}'", "Run one statement at a time: the text contains 2"),
        ("", "Not a query"),
        ("; -- nothing", "Not a query"),
        ("selec 1", "syntax error"),
        ("with x as (insert into ads select * from ads returning *) from x", "read-only"),
        ("from read_csv('/etc/passwd')", "disabled by configuration"),
        ("from read_text('/etc/passwd')", "disabled by configuration"),
        ("from glob('/etc/*')", "disabled by configuration"),
        ("from '/etc/passwd'", "does not exist"),
        ("from read_parquet('/tmp/x.parquet')", "disabled by configuration"),
        ("from read_text('{lake}/.changes.json')", "disabled by configuration"),
        ("from read_text('{lake}/ads/../.changes.json')", "disabled by configuration"),
        ("from 'http://127.0.0.1:1/x.csv'", "disabled by configuration"),
        ("select getenv('FB_ACCESS_TOKEN')", "getenv does not exist"),
        ("from environ", "does not exist"),
        ("from query('copy (select 1) to ''/tmp/x''')", "single SELECT"),
        (
            "from json_execute_serialized_sql(json_serialize_sql('select 1'))",
            "JSON_EXECUTE_SERIALIZED_SQL does more",
        ),
    ],
)
def test_what_does_more_is_refused_and_has_done_nothing(sql: str, why: str, lake: Lake) -> None:
    before = content(lake.root.parent)
    quoted = str(lake.root).replace("'", "''")
    names = {"file": f"{quoted}/ads/account_id=11/data.parquet", "folder": f"{quoted}/ads/new"}

    code, answer, error = ask(lake, sql.format(lake=quoted, **names))

    assert (code, answer) == (2, "")
    assert why in error
    assert "Traceback" not in error
    assert content(lake.root.parent) == before


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(100000) a, range(10000000) b where a.range * b.range % 7 = 3",
        "with recursive t(n) as (select 1 union all select n + 1 from t) select max(n) from t",
        "select sum(hash(a.range + b.range)) from range(100000) a, range(1000000) b",
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_ctrl_c_ends_a_long_question_at_once(sql: str, form: str, lake: Lake) -> None:
    asked = command(lake, "query", sql, "--format", form)
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(timeout=4)

    asked.send_signal(signal.SIGINT)
    began = time.monotonic()
    asked.communicate(timeout=PATIENCE_SECONDS)

    assert asked.returncode == 130
    assert time.monotonic() - began < within(3)


def shell(lake: Lake, *lines: str) -> tuple[Sequence[str], str]:
    opened = command(lake, "sql")
    answer, error = opened.communicate(
        "".join(f"{line}\n" for line in lines), timeout=PATIENCE_SECONDS
    )
    return answer.splitlines(), error


def test_the_shell_reads_the_published_tables_and_opens_nothing_else(lake: Lake) -> None:
    before = content(lake.root)
    link = lake.root / LINK

    answer, error = shell(
        lake,
        *(".mode csv", "select ad_name from ads;", "select current_setting('TimeZone');"),
        *("from lake.ads;", "from read_text('/etc/passwd');", "delete from ads;"),
        f"copy ads to '{lake.root.parent}/x.csv';".replace("'s ", "''s "),
        *("set enable_external_access = true;", ".shell touch x", "attach 'x.db';"),
    )

    assert answer == ["ad_name", "one", "\"current_setting('TimeZone')\"", "UTC"]
    assert error.count("disabled by configuration") == 4
    assert "configuration has been locked" in error
    assert "read-only mode" in error
    assert "cannot be used in -safe mode" in error
    assert content(lake.root) == before
    assert link.resolve().stat().st_mode & 0o222 == 0


def test_the_shell_says_which_duckdb_it_is_and_which_one_query_uses(lake: Lake) -> None:
    program = Path(sys.executable).with_name("fbinsights")
    with Terminal(200) as terminal:
        with subprocess.Popen(  # noqa: S603  our own command
            ["setsid", "--ctty", "--wait", program, "sql"],  # noqa: S607  wherever it is
            env={**os.environ, "TERM": "dumb", "WAREHOUSE_URL": str(lake.root)},
            cwd=lake.root.parent,
            stdin=terminal.end,
            stdout=terminal.end,
            stderr=terminal.end,
        ) as opened:
            terminal.wait_for("\x1b[00m D ")  # its prompt
            os.write(terminal.master, b"select version() as v;\r.exit\r")
            seen = terminal.read_all()
        assert opened.returncode == 0

    [own] = re.findall(r"This shell is DuckDB (\S+);|$", seen)[:1]
    [answered] = set(re.findall(r"v\d+\.\d+\.\d+", seen.partition("select version()")[2]))
    assert answered == f"v{own}"
    assert f"`fbinsights query` uses DuckDB {version('duckdb')}." in seen
    assert ask(lake, "select version() as v")[1].splitlines()[1] == f'"v{version("duckdb")}"'
