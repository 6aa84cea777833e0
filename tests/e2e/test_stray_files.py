"""A file that somebody has put into the lake: the command names it, and says what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.company import DAYS, RANGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.company import Company
    from tests.s3 import S3

STRAY = f"insights_hourly/account_id=1/date={DAYS[1]} copy/data.parquet"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, fresh: Company) -> tuple[str, Mapping[str, str]]:
    """The stray file as the store names it, and the environment of a command that meets it."""
    if request.param == "folder":
        file = fresh.lake / STRAY
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
        return str(file), {}
    s3: S3 = request.getfixturevalue("s3")
    bucket = s3.new_bucket()
    s3.client.put_object(Bucket=bucket, Key=f"the lake/{STRAY}", Body=b"")
    url = f"s3://{bucket}/the lake"
    environ = {"WAREHOUSE_URL": url, "WAREHOUSE_LOCAL": str(fresh.folder / "here")}
    return f"{url}/{STRAY}", {**s3.environ, **environ}


def test_a_stray_file_in_the_lake_is_named_without_a_stack_trace(
    fresh: Company, place: tuple[str, Mapping[str, str]]
) -> None:
    stray, environ = place

    done = fresh.run("publish", **environ)

    assert (done.returncode, "0 rows" in done.stdout) == (1, True)
    assert stray in done.stderr
    assert "not an account/date partition" in done.stderr
    assert "move it out of the warehouse" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_load_next_to_a_stray_file_is_kept_and_published(
    fresh: Company, place: tuple[str, Mapping[str, str]]
) -> None:
    stray, environ = place
    account = fresh.sandbox.account_ids[0]

    done = fresh.run("backfill", *RANGE, "--account", account, **environ)

    shown = fresh.run("status", *RANGE, "--account", account, **environ)
    rows = fresh.run("query", "select count(*) from loads", "--format", "csv", **environ)
    assert done.returncode == 1
    assert stray in done.stderr
    assert "Traceback" not in done.stderr
    assert shown.stdout.splitlines()[-1].split()[-6:] == ["3", "3", "0", "0", "0", "0"]
    assert rows.stdout.splitlines()[-1] == "6"  # the report, and the control totals
