"""The lake knows its tables: whoever publishes or opens it has those of reports too."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.warehouse.lake.mine import MINE, file_of, put, rows_of
from warehouse.errors import UnwritableError
from warehouse.lake.definitions import FOLDER, keep_definition, lake_tables
from warehouse.lake.forgetting import remove_account, traces_of
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN
from warehouse.schema.table import Column

if TYPE_CHECKING:
    from tests.s3 import S3

#: A process that knows nothing of the report.
STRANGER = """\
import sys, warehouse
from warehouse.published.publish import publish
if sys.argv[2] == "publish":
    publish(sys.argv[1])
with warehouse.open(sys.argv[1]) as opened:
    print(opened.sql("FROM mine_actions SELECT action_type, click_7d").fetchall())
"""


@pytest.fixture(params=["folder", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "lake")
    s3: S3 = request.getfixturevalue("s3")
    return f"s3://{s3.new_bucket()}/lake"


@pytest.mark.parametrize("how", ["publish", "open"])
def test_who_knows_nothing_of_a_report_publishes_its_table_with_its_view(
    url: str, how: str, tmp_path: Path
) -> None:
    put(Lake(url))

    done = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", STRANGER, url, how],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "WAREHOUSE_LOCAL": str(tmp_path / "another machine")},
        cwd=Path(__file__).parents[3],
    )

    assert done.stdout == "[('like', Decimal('1.000000'))]\n"
    assert done.stderr == ""


def test_a_definition_is_read_as_it_was_written(url: str) -> None:
    lake = Lake(url)
    put(lake)

    known = lake_tables(lake.store, OWN)

    assert known.left_out == {}
    assert known.catalog.tables["mine"] == MINE
    assert known.catalog.given == frozenset()
    assert lake_tables(lake.store, OWN.with_table(MINE)).catalog == OWN.with_table(MINE)


def test_it_says_what_people_want_to_know(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)

    said = json.loads(file_of(lake).read_text(encoding="utf-8"))

    assert {key: said[key] for key in ("name", "schema_version", "meaning", "partitions")} == {
        "name": "mine",
        "schema_version": 2,
        "meaning": "What Ä and 'B' did.",
        "partitions": ["account_id", "date"],
    }
    assert said["grain"] == ["account_id", "date", "image_id", "hour"]
    assert said["columns"][5] == {
        "name": "spend",
        "kind": "money",
        "type": "decimal128(18, 6)",
        "source": "spend",
        "meaning": "Money",
        "unit": "account currency",
    }


def test_it_is_written_only_when_it_changed_and_published_by_all_from_then_on(
    url: str, tmp_path: Path
) -> None:
    wider = replace(MINE, columns=(*MINE.columns, Column("reach", "count", "People")))
    first = Lake(url)
    put(first)
    [before] = first.store.find(f"{FOLDER}/*.json")
    put(Lake(url), day=date(2026, 11, 20))
    assert list(first.store.find(f"{FOLDER}/*.json")) == [before]

    put(Lake(url), wider)

    publish(url)
    assert rows_of(first.root, "FROM mine SELECT count(*), count(reach)") == [(2, 0)]
    assert not list((first.root / FOLDER).glob("[!m]*"))
    assert not list(tmp_path.rglob("*.unfinished"))


def test_no_publisher_makes_another_rebuild_what_is_there(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    put(lake, replace(MINE, name="another"))
    catalog = OWN.with_table(replace(MINE, name="zebra")).with_table(MINE)
    first = publish(lake.root, catalog=catalog)

    found = [
        publish(lake.root).version,
        publish(lake.root, catalog=catalog).version,
        publish(lake.root, catalog=OWN.with_table(MINE)).version,
    ]

    assert found == [first.version] * 3
    assert first.left_out == {}


def test_an_old_lake_has_them_from_the_first_publish_of_the_project_on(url: str) -> None:
    lake = Lake(url)
    put(lake)
    lake.store.delete(f"{FOLDER}/mine.json")  # as the code of 2026-11-28 left it
    assert "mine" not in publish(url).rows
    assert publish(url, catalog=OWN.with_table(MINE)).rows["mine"] == 1

    assert publish(url).rows["mine"] == 1


def test_what_is_passed_wins_and_what_could_only_be_guessed_does_not(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    less = replace(MINE, columns=MINE.columns[:-1])

    guessed = publish(lake.root, catalog=OWN.with_table(less, is_given=False))
    assert guessed.left_out == {}
    assert rows_of(lake.root, "FROM mine_actions SELECT count(*)") == [(1,)]
    assert '"actions"' in file_of(lake).read_text()

    publish(lake.root, catalog=OWN.with_table(less))
    assert rows_of(lake.root, "FROM duckdb_views() SELECT 1 WHERE view_name = 'mine_actions'") == []
    assert '"actions"' not in file_of(lake).read_text()


def test_one_of_the_warehouses_own_is_kept_only_while_it_has_more_columns(tmp_path: Path) -> None:
    own = OWN.tables["insights_daily"]
    wider = replace(own, columns=(*own.columns, Column("cpc", "ratio", "Cost")))
    lake = Lake(tmp_path / "lake")
    publish(lake.root, catalog=OWN.with_table(replace(own)))
    assert not file_of(lake, own.name).exists()

    publish(lake.root, catalog=OWN.with_table(wider))
    publish(lake.root)
    assert rows_of(lake.root, "FROM insights_daily SELECT count(cpc)") == [(0,)]

    publish(lake.root, catalog=OWN.with_table(replace(own)))
    assert lake_tables(lake.store, OWN).catalog == OWN


def test_one_of_its_own_that_older_code_kept_has_the_columns_of_today(tmp_path: Path) -> None:
    own = OWN.tables["insights_daily"]
    older = replace(own, columns=(*own.columns[:-1], Column("cpc", "ratio", "Cost")))
    lake = Lake(tmp_path / "lake")
    keep_definition(lake.store, older)

    known = lake_tables(lake.store, OWN)

    assert known.left_out == {}
    names = [column.name for column in known.catalog.tables[own.name].columns]
    assert sorted(names) == sorted([*(column.name for column in own.columns), "cpc"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"kind": "money"', '"kind": "emotion"', "the kind 'emotion' of the column spend is not"),
        ('"decimal128(18, 6)"', '"decimal128(30, 6)"', "the column spend is decimal128(30, 6), no"),
        ('"grain": [', '"grain": ["mood", ', "it has no column mood"),
        ('"partitions": [', '"partitions": ["hour", ', "its folders are ('hour', 'account_id'"),
    ],
)
def test_what_newer_code_wrote_and_this_cannot_read_is_left_out(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    put(lake, replace(MINE, name="other"))
    text = file_of(lake).read_text().replace('"schema_version": 2', '"schema_version": 3')
    file_of(lake).write_text(text)
    assert lake_tables(lake.store, OWN).left_out == {}  # newer, and all of it is known
    assert old in text
    file_of(lake).write_text(text.replace(old, new))

    known = lake_tables(lake.store, OWN)

    assert known.catalog.tables.keys() == {*OWN.tables, "other"}
    [(name, why)] = known.left_out.items()
    assert (name, told in why) == ("mine", True), why
    assert why.startswith(f"{file_of(lake)} cannot be used: ")
    assert why.endswith("A newer fbinsights wrote it: upgrade this one, then publish again")


def test_a_publish_says_what_it_leaves_out_and_has_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    put(lake, replace(MINE, name="other"))
    assert publish(lake.root).rows["mine"] == 1
    file_of(lake).write_text(file_of(lake).read_text().replace("money", "emotion"))

    with caplog.at_level(logging.WARNING):
        published = publish(lake.root)

    assert "mine" not in published.rows
    assert published.rows["other"] == 1
    [(name, why)] = published.left_out.items()
    assert name == "mine"
    assert [r.message for r in caplog.records] == [f"The table mine is not published: {why}"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine", ""),
        ("mine", "[]"),
        ("mine", "\xff"),
        ("mine", '{"name": "mine"}'),
        ("mine", '{"name": "../../x", "columns": []}'),
        ("mine", "null"),
    ],
)
def test_a_damaged_definition_costs_its_table_and_is_mended_by_the_next_load(
    tmp_path: Path, name: str, text: str
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    file_of(lake, name).write_bytes(text.encode("latin-1"))

    [(table, why)] = lake_tables(lake.store, OWN).left_out.items()
    assert (table, "it is damaged. To rewrite it, reload a day" in why) == (name, True)

    put(Lake(lake.root))
    assert lake_tables(lake.store, OWN).left_out == {}


@pytest.mark.parametrize(
    "name", ["campaign_daily", "creatives", "accounts", "a b", "x;y", "Accounts", "Mine", "mine'"]
)
def test_a_definition_takes_nothing_of_the_warehouses_own(tmp_path: Path, name: str) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    text = file_of(lake).read_text().replace('"name": "mine"', f'"name": "{name}"')
    file_of(lake, name).write_text(text)

    known = lake_tables(lake.store, OWN)

    assert list(known.left_out) == [name]
    assert known.catalog.tables.keys() == {*OWN.tables, "mine"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (' "meaning": "Money"', ' "meaning": "\\u0000"', "it is damaged"),
        (' "meaning": "Money"', ' "meaning": "\\ud800"', "it is damaged"),
        ('"name": "spend"', '"name": "HOUR"', "would have two columns called hour"),
        ('"columns": [', '"columns": [], "more": [', "it has no columns"),
        ('"columns": [', '"columns": [7, ', "it is damaged"),
        ('"windows": ["7d_click"]', '"windows": ["value"]', "two columns called value"),
        ('"unit": "account currency"', '"keys": ["x"]', "the kind 'money' of the column spend"),
    ],
)
def test_a_definition_that_sql_would_refuse_costs_no_other_table(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    put(lake, replace(MINE, name="other"))
    text = file_of(lake).read_text()
    assert old in text
    file_of(lake).write_text(text.replace(old, new))

    known = lake_tables(lake.store, OWN)

    [(name, why)] = known.left_out.items()
    assert (name, told in why) == ("mine", True), why
    assert known.catalog.tables.keys() == {*OWN.tables, "other"}


def test_of_a_lake_that_knows_a_table_it_is_read_by_its_name(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)

    assert Lake(lake.root).read("mine").num_rows == 1
    assert Lake(lake.root, catalog=OWN.with_table(MINE)).read("mine").num_rows == 1


def test_who_forgets_an_account_keeps_the_definition(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)

    found = traces_of(lake, "11")
    remove_account(lake, "11", found.files)

    assert found.account_days == 1
    assert file_of(lake).exists()
    assert publish(lake.root, afresh=True).rows["mine"] == 0


def test_a_definition_that_cannot_be_written_costs_the_account_day(small_disk: Path) -> None:
    lake = Lake(small_disk / "lake")
    (small_disk / "lake").mkdir()
    (small_disk / "lake" / FOLDER).write_text("in its place")

    with pytest.raises(UnwritableError, match="Cannot write mine of account 11 on 2026-11-21"):
        put(lake)
    assert not lake.partitions(MINE)


def test_publishing_goes_on_where_a_definition_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake)
    file_of(lake).unlink()
    file_of(lake).parent.rmdir()
    file_of(lake).parent.write_text("in its place")

    published = publish(lake.root, catalog=OWN.with_table(MINE))

    assert published.rows["mine"] == 1
    assert "a publish from another machine may miss tables of reports" in caplog.text
