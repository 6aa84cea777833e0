"""What `doctor` makes of what Meta says of a token; the rest of it is tested end to end."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.cli.commands.doctor import examine
from pipelines.loading import access
from pipelines.state.homes import NOTE, Shown
from tests.reports import KNOWN
from warehouse.lake.identity import claim
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fbgraph.sandbox import Sandbox

NOW = 1_795_460_000  # as in the answers below, in seconds
DAY = 24 * 3600


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"scopes": ["ads_read"], "expires_at": 0}, "ok     token  valid, never expires; scopes"),
        ({"scopes": ["ads_read"]}, "ok     token  valid, expiry unknown; scopes ads_read"),
        ({"expires_at": 0}, "ok     token  valid, never expires; scopes unknown"),
        ({"scopes": None, "expires_at": "soon"}, "ok     token  valid, expiry unknown; scopes unk"),
        ({"scopes": "ads_read"}, "ok     token  valid, expiry unknown; scopes unknown"),
        ({"scopes": []}, "to do  token  lacks the scope ads_read; it has: none."),
        ({"scopes": ["email", 5]}, "to do  token  lacks the scope ads_read; it has: email, 5."),
        ({"is_valid": False}, "to do  token  Meta says it is invalid."),
        ({"expires_at": NOW + 20 * DAY}, "ok     token  expires in 20 days; scopes unknown"),
        ({"expires_at": str(NOW + 3 * DAY)}, "to do  token  expires in 3 days; scopes unknown"),
        ({"expires_at": NOW - 1}, "to do  token  expires in -1 days"),
        ({"expires_at": 10**30}, "ok     token  expires in"),
    ],
)
def test_a_token_is_judged_by_what_meta_says_and_not_by_what_it_leaves_out(
    told: Mapping[str, Any], said: str
) -> None:
    ok, what, text = access.token(told, datetime.fromtimestamp(NOW, UTC))

    assert f"{'ok   ' if ok else 'to do'}  {what}  {text}".startswith(said)


def test_it_says_how_far_the_published_file_is_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(tmp_path / "lake", now=lambda: datetime.now(UTC) - timedelta(hours=3))
    environ = {"WAREHOUSE_URL": str(lake.root)}

    def told() -> str:
        examine(environ, KNOWN)
        return next(line for line in capsys.readouterr().out.splitlines() if "published" in line)

    assert told().startswith("ok     published             warehouse.duckdb has not been published")
    lake.changed()
    assert told().startswith("to do  published             warehouse.duckdb has not been published")
    publish(lake.root)
    assert "; nothing has changed since" in told()
    assert told().startswith("ok     published             warehouse.duckdb shows the lake as of ")
    Lake(lake.root).changed()
    assert told().startswith("ok")  # a moment ago: it may still follow
    lake.changed()
    assert told().startswith("to do")
    assert "Run `fbinsights publish`" in told()


def test_a_disk_that_is_about_full_is_to_do(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path / "lake", small_disk / "lake"):
        examine({"WAREHOUSE_URL": str(folder)}, KNOWN)

    [line] = [one for one in capsys.readouterr().out.splitlines() if " disk " in one]
    assert line.startswith(f"to do  disk                  {small_disk}: 2 MB are free. Free disk")


def test_a_disk_that_is_about_out_of_inodes_is_to_do(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = "remount,size=200m,nr_inodes=60"
    subprocess.run(["mount", "-o", options, str(small_disk)], check=True)  # noqa: S603, S607

    examine({"WAREHOUSE_URL": str(small_disk / "lake")}, KNOWN)

    [line] = [one for one in capsys.readouterr().out.splitlines() if " disk " in one]
    assert line.startswith(f"to do  disk                  {small_disk}: 59 inodes are free, one")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("FB_ACCOUNT_ID", "to do  settings              FB_ACCOUNT_ID is not a variable of fbins"),
        ("FB_PAGE_ID", "ok     settings              FB_PAGE_ID is not a variable of fbinsights"),
    ],
)
def test_a_misspelt_variable_is_to_do_and_somebody_elses_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    examine({"WAREHOUSE_URL": str(tmp_path), name: "1"}, KNOWN)

    assert capsys.readouterr().out.startswith(told)


def test_it_says_that_the_dagster_home_shows_another_lake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Shown(str(tmp_path / "first"), "1")
    (tmp_path / NOTE).write_text(json.dumps(shown._asdict()))
    claim(Lake(tmp_path / "second").store, "https://graph.facebook.com", lambda: "2")

    examine({"WAREHOUSE_URL": str(tmp_path / "second"), "DAGSTER_HOME": str(tmp_path)}, KNOWN)

    said = " ".join(capsys.readouterr().out.split())
    assert f"to do Dagster home The Dagster home {tmp_path} shows what is loaded in" in said


def test_it_does_not_sit_out_a_limit_but_says_how_long_it_takes(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.use("never_resets:40")
    environ = {
        "FB_GRAPH_URL": sandbox.url,
        "FB_ACCESS_TOKEN": sandbox.token,
        "WAREHOUSE_URL": str(tmp_path),
    }

    examine(environ, KNOWN)

    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"has to wait 4[0-9] min\. Loads wait by themselves\. ok act_420", said)
