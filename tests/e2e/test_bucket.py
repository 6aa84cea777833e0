"""The real command with its lake in a bucket: what it loads is what it loads into a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import warehouse
from fbgraph.sandbox import Sandbox
from tests.pace import PATIENCE_SECONDS, QUICK_DISK
from tests.s3 import SECRET
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.s3 import S3

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAYS = [date(2026, 11, day) for day in range(18, 23)]
TABLE = "insights_hourly"

#: Columns that tell when and how a row came, not what it says.
PASSING = {
    *("fetched_at", "valid_from", "run_id", "asked_at", "loaded_at", "seconds"),
    *("report_run_ids", "calls"),
}


@dataclass
class Command:
    """The command with one warehouse, in a folder of its own."""

    sandbox: Sandbox
    folder: Path
    url: str
    environ: Mapping[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        settings = {
            "PATH": os.environ["PATH"],
            **QUICK_DISK,
            "HOME": str(self.folder),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "DAGSTER_HOME": str(self.folder),
            "FB_GRAPH_URL": self.sandbox.url,
            "FB_ACCESS_TOKEN": self.sandbox.token,
            "WAREHOUSE_URL": self.url,
            "WAREHOUSE_LOCAL": str(self.folder / "here"),
        }
        return subprocess.Popen(  # noqa: S603  # our own command
            [str(Path(sys.executable).with_name("fbinsights")), *arguments],
            cwd=self.folder,
            env={**settings, **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        with self.start(*arguments) as running:
            stdout, stderr = running.communicate(timeout=PATIENCE_SECONDS)
        return running.returncode, stdout + stderr

    def backfill(self, since: date, until: date) -> tuple[int, str]:
        return self.run("backfill", *_range(since, until))


def _range(since: date, until: date) -> tuple[str, ...]:
    return "--since", str(since), "--until", str(until), "--report", TABLE


def _without_footer(file: bytes) -> bytes:
    """The rows alone: the footer tells of the load, which was another one."""
    footer = int.from_bytes(file[-8:-4], "little")
    return file[: -8 - footer]


def _truth(sandbox: Sandbox, days: list[date]) -> list[tuple[Any, ...]]:
    rows = [
        (
            i,
            day,
            r["ad_id"],
            r["hour"],
            int(r["impressions"]),
            int(r["clicks"]),
            Decimal(r["spend"]),
        )
        for i in sandbox.account_ids
        for day in days
        for r in sandbox.truth(i, day)["rows"]
    ]
    return sorted(rows, key=str)


def _loaded(rows: pa.Table) -> list[tuple[Any, ...]]:
    names = ["account_id", "date", "ad_id", "hour", "impressions", "clicks", "spend"]
    return sorted((tuple(row.values()) for row in rows.select(names).to_pylist()), key=str)


@dataclass
class Both:
    """One company loaded by the same command into a folder and into a bucket."""

    sandbox: Sandbox
    s3: S3
    bucket: str
    here: Command
    there: Command
    said: Sequence[tuple[int, str]]


@pytest.fixture(scope="module")
def both(s3_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder, name = tmp_path_factory.mktemp("both"), s3_server.new_bucket()
    with Sandbox(world="hostile", now=lambda: NOW, accounts=4) as sandbox:
        here = Command(sandbox, folder / "one", str(folder / "one" / "lake"), {})
        there = Command(sandbox, folder / "two", f"s3://{name}/company/lake", s3_server.environ)
        said = [command.backfill(DAYS[0], DAYS[2]) for command in (here, there)]
        yield Both(sandbox, s3_server, name, here, there, said)


@pytest.mark.usefixtures("s3")
def test_a_backfill_into_a_bucket_is_that_into_a_folder_byte_for_byte(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_LOCAL", str(both.there.folder / "here"))
    folder, bucket = Lake(both.here.url), Lake(both.there.url)
    keys = [found.key for found in folder.partitions(TABLE)]

    assert [code for code, _ in both.said] == [0, 0], both.said
    assert len(keys) == len(both.sandbox.account_ids) * 3
    assert [found.key for found in bucket.partitions(TABLE)] == keys
    for key in keys:
        assert _without_footer(bucket.store.read(key)) == _without_footer(folder.store.read(key))
    assert _loaded(bucket.read(TABLE)) == _truth(both.sandbox, DAYS[:3])
    with warehouse.open(both.there.url) as there, warehouse.open(both.here.url) as here:
        for table in ("insights_hourly", "ads", "campaigns_history", "loads", "account_daily"):
            columns = sorted({*here.arrow(f"FROM {table} LIMIT 0").column_names} - PASSING)
            query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL"  # noqa: S608  ours
            assert there.arrow(query).equals(here.arrow(query)), table


def test_the_doctor_looks_at_the_bucket_and_no_credential_is_left_anywhere(both: Both) -> None:
    code, said = both.there.run("doctor")
    nowhere = replace(both.there, url="s3://no-such-bucket/lake")
    refused = nowhere.run("doctor"), nowhere.backfill(DAYS[0], DAYS[0])
    left = [path for path in both.there.folder.rglob("*") if path.is_file()]

    assert code == 0, said
    assert f"s3://{both.bucket}/company/lake: writable" in said
    assert "warehouse.duckdb shows the lake as of" in said
    for _, text in refused:
        assert "s3://no-such-bucket/lake" in text
        assert "NoSuchBucket" in text
        assert "Create the bucket, or set WAREHOUSE_URL to one that exists" in text
    assert [code for code, _ in refused] == [1, 2]
    assert {"warehouse.duckdb", "dagster.yaml"} <= {path.name for path in left}
    assert [path for path in left if SECRET.encode() in path.read_bytes()] == []
    assert not any(SECRET in text for _, text in [*both.said, *refused, (code, said)])


@pytest.mark.slow
def test_a_killed_load_leaves_whole_objects_and_the_next_asks_nothing_twice(both: Both) -> None:
    s3, sandbox, deadline = both.s3, both.sandbox, time.monotonic() + PATIENCE_SECONDS
    before = _account_days(s3, both.bucket)
    created, begun = _runs_created(sandbox), len(s3.asked)

    killed = both.there.start("backfill", *_range(DAYS[0], DAYS[-1]))
    while (puts := _puts(s3, begun))[0] < len(sandbox.account_ids) or not puts[1]:
        assert killed.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    after = _account_days(s3, both.bucket)
    code, said = both.there.backfill(DAYS[0], DAYS[-1])
    files = _account_days(s3, both.bucket)

    assert killed.returncode == -signal.SIGKILL
    assert before.keys() <= after.keys()
    assert [pq.ParquetFile(pa.BufferReader(file)).read() for file in after.values()]
    assert code == 0, said
    assert _runs_created(sandbox) - created == len(sandbox.account_ids)
    assert s3.uploads(both.bucket) == []
    assert len(files) == len(sandbox.account_ids) * len(DAYS)
    rows = pa.concat_tables(_with_path(key, file) for key, file in files.items())
    assert _loaded(rows) == _truth(sandbox, DAYS)


def _runs_created(sandbox: Sandbox) -> int:
    return int(sandbox.calls()["spent"]["create_run"]["count"])


def _account_days(s3: S3, name: str) -> Mapping[str, bytes]:
    return {key: file for key, file in s3.objects(name).items() if f"/{TABLE}/account_id" in key}


def _puts(s3: S3, begun: int) -> tuple[int, int]:
    """How many report runs were remembered since, and how many account-days were put."""
    paths = [path for method, path in s3.asked[begun:] if method == "PUT"]
    parts = ("/.runs/", f"/{TABLE}/account_id=")
    return tuple(sum(part in path for path in paths) for part in parts)  # type: ignore[return-value]  # two


def _with_path(key: str, file: bytes) -> pa.Table:
    rows = pq.read_table(pa.BufferReader(file)).select(
        ["ad_id", "hour", "impressions", "clicks", "spend"]
    )
    named = dict(part.split("=") for part in key.split("/") if "=" in part)
    return rows.append_column(
        "account_id", pa.array([named["account_id"]] * rows.num_rows, pa.string())
    ).append_column(
        "date", pa.array([named["date"]] * rows.num_rows, pa.string()).cast(pa.date32())
    )
