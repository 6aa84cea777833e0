"""Tables of objects that a person writes: read, refused with what to do, and loaded."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.objects import load_objects
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from pipelines.project.ready_tables import READY_TABLES
from pipelines.reports.catalog import read_reports
from tests.clock import NOW, Clock
from warehouse.lake.defects.rejects import of_objects
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

USUAL = {"name": "mine", "edge": "adspixels", "fields": "[name]"}

#: Tables that are hard on the frame: ids that are not numbers, keys that are not unique, an edge
#: where one object fails a page.
HARD = """\
type: pipelines.components.ObjectTable
attributes: {name: pictures, edge: adimages, fields: [name, hash]}
---
type: pipelines.components.ObjectTable
attributes: {name: by_name, edge: adlabels, key: name, fields: [updated_time]}
---
type: pipelines.components.ObjectTable
attributes:
  name: stories
  edge: adcreatives
  fields: [name, effective_object_story_id, {field: object_story_spec.page_id, name: page}]
---
type: pipelines.components.ObjectTable
attributes:
  name: stories_by_name
  edge: adcreatives
  key: name
  fields:
    - object_story_spec
    - {field: object_story_spec.video_data.image_url, name: cover, kind: text}
    - {field: asset_feed_spec.images.url, name: pictures, kind: texts}
"""


def faults(folder: Path, **keys: str | None) -> list[str]:
    """What is wrong with a table in a file, without its path."""
    lines = [f"  {key}: {value}" for key, value in {**USUAL, **keys}.items() if value is not None]
    path = folder / "mine.yaml"
    path.write_text(
        "\n".join(("type: pipelines.components.ObjectTable", "attributes:", *lines)), "utf-8"
    )
    found = read_reports([path])
    return [line.removeprefix(f"{path}:") for line in (*found.faults, *found.warnings)]


def test_everything_that_is_wrong_is_told_with_line_and_what_to_do(tmp_path: Path) -> None:
    cases: list[tuple[Mapping[str, str | None], list[str]]] = [
        ({}, []),
        ({"edge": "adpixels"}, ["4: edge: adpixels: unknown name; did you mean adspixels?"]),
        ({"edge": "adpixels", "allow_unknown": "true"}, ["requested anyway because of"]),
        ({"edge": "insights"}, ["4: edge: insights: has rows without ids: write a report"]),
        ({"edge": "activities"}, ["rows without ids, which are not objects"]),
        ({"fields": "[nam]"}, ["5: fields: nam: unknown name; did you mean name?"]),
        ({"fields": "[nam]", "allow_unknown": "true"}, ["did you mean name?; requested anyway"]),
        ({"fields": "[{field: name, kind: words}]"}, ["5: fields: words: unknown name; expected"]),
        ({"fields": "[{field: name, kin: text}]"}, ["5: fields: expected a list, like [name,"]),
        ({"fields": "[{field: name, name: fetched_at}]"}, ["which every table has: give it an"]),
        ({"fields": "[name, {field: code, name: name}]"}, ["is the name of two columns", "pages"]),
        ({"fields": "name"}, ["5: fields: name: expected a list, like [name,"]),
        ({"key": "uid"}, ["6: key: uid: unknown name"]),
        ({"edge": "adimages"}, []),
        ({"edge": "adimages", "key": "hash"}, []),
        (
            {"edge": "adimages", "fields": "[name, {field: id, kind: id}]"},
            ["5: fields: id: is not a number on adimages, so that no row could be read: use"],
        ),
        (
            {"key": "owner_business"},
            ["6: key: owner_business: is the key, and of kind object: choose"],
        ),
        (
            {"fields": "[{field: id, kind: json}]"},
            ["5: fields: id: is the key, and of kind json: choose"],
        ),
        ({"key": "owner_business.id"}, ["6: key: owner_business.id: name a field as Meta does"]),
        (
            {"key": "a.b", "edge": "adunicorns", "allow_unknown": "true"},
            ["6: key: a.b: name a field as", "4: edge: adunicorns: unknown name"],
        ),
        ({"edge": "adimages", "key": "url"}, ["6: key: url: is the key, and changes by itself"]),
        ({"edge": "adimages", "key": "updated_time"}, ["6: key: updated_time: is the key, and"]),
        ({"key": "name", "moving": "[name]"}, ["7: moving: name: is the key: leave it out here"]),
        ({"name": "images"}, ["3: name: images: this name is reserved: fbinsights has a table"]),
        ({"name": "Mine"}, ["3: name: Mine: use lower case, mine"]),
        ({"moving": "[nam]"}, ["6: moving: nam: unknown name; did you mean name?"]),
        ({"listed_every_days": "0"}, ["6: listed_every_days: 0: expected 1 to 31 days"]),
        ({"histroy": "false"}, ["6: histroy: is not a key of a table of objects; did you mean"]),
        ({"edge": None}, ["edge: is missing"]),
        ({"owners": "[me]"}, ["6: owners: me: expected an e-mail address"]),
    ]
    for keys, expected in cases:
        found = faults(tmp_path, **keys)
        assert len(found) == len(expected), (keys, found)
        assert all(part in line for part, line in zip(expected, found, strict=True)), (keys, found)


def test_a_field_may_fill_several_columns(tmp_path: Path) -> None:
    fields = "[{field: name, name: a}, {field: name, name: b}, {field: id, name: c}, id]"
    assert faults(tmp_path, fields=fields) == []

    table = read_reports([tmp_path / "mine.yaml"]).catalog.objects["mine"].latest

    assert [*table.arrow_schema.names] == ["c", "account_id", "id", "a", "b", "fetched_at"]


def test_a_table_and_a_report_of_one_name_are_both_refused(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(
        dedent(
            """\
            type: pipelines.components.ObjectTable
            attributes: {name: mine, edge: adlabels, fields: [name]}
            ---
            type: pipelines.components.InsightsReport
            attributes: {name: mine, level: ad, fields: [spend]}
            ---
            type: pipelines.components.InsightsReport
            attributes: {name: other_history, level: ad, fields: [spend]}
            ---
            type: pipelines.components.ObjectTable
            attributes: {name: other, edge: adlabels, fields: [name]}
            """
        ),
        "utf-8",
    )

    found = read_reports([tmp_path / "both.yaml"])

    assert set(found.broken) == {"mine", "other"}
    for why in found.why_broken().values():
        assert why.startswith("this table of objects cannot be loaded:\n")
    assert "other_history" in found.by_name
    assert "mine" not in found.catalog.objects
    assert any("another table is called other_history" in one for one in found.faults)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, dict[str, list[Any]]]:
    """A lake with every ready table, and what the sandbox served of each."""
    reports = read_reports(sorted(READY_TABLES.glob("*.yaml")))
    lake, clock = Lake(tmp_path_factory.mktemp("lake"), catalog=reports.catalog), Clock()
    with (
        Sandbox(now=lambda: NOW) as sandbox,
        GraphClient(
            sandbox.token, base_url=sandbox.url, sleep=clock.sleep, clock=clock.seconds
        ) as client,
    ):
        account = sandbox.account_ids[0]
        client.account(account).create("adlabels", name="Winter")
        session = Session(client, lake, "run-1", lambda: NOW, Recording())
        session.load_accounts(discover(client))
        errors = [one.error for one in session.list_objects([account]) if one.error]
        assert errors == []
        served = {
            name: httpx.get(
                f"{sandbox.url}/v25.0/act_{account}/{spec.edge}",
                params={"fields": ",".join(reports.catalog.objects[name].fields), "limit": 100},
                headers={"Authorization": f"Bearer {sandbox.token}"},
            ).json()["data"]
            for name, spec in reports.objects.items()
        }
    return lake, served


def test_ready_tables_hold_what_the_sandbox_serves(
    loaded: tuple[Lake, dict[str, list[Any]]],
) -> None:
    lake, served = loaded

    for name, rows in served.items():
        row = lake.catalog.objects[name]
        found = {one[row.key]: one for one in lake.read(name).to_pylist()}
        assert found.keys() == {one["id"] for one in rows} != set(), name
        assert lake.read(f"{name}_history").num_rows == len(rows)
    [pixel] = served["pixels"]
    [row] = lake.read("pixels").to_pylist()
    assert row["pixel_name"] == pixel["name"]
    assert row["owner_account_id"] == pixel["owner_ad_account"]["account_id"]
    assert row["automatic_matching_fields"] == ["em", "ph"]
    audiences = lake.read("saved_audiences").to_pylist()
    assert {one["approximate_count_lower_bound"] for one in audiences} == {1_200_000, None}
    assert "Winter" in lake.read("labels")["label_name"].to_pylist()


def test_odd_ids_keys_that_are_not_unique_and_objects_that_fail_a_page(tmp_path: Path) -> None:
    (tmp_path / "hard.yaml").write_text(HARD, "utf-8")
    reports = read_reports([tmp_path / "hard.yaml"])
    assert not reports.faults
    lake = Lake(tmp_path / "data", catalog=reports.catalog)
    with (
        Sandbox(now=lambda: NOW, world="hostile") as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        account = sandbox.account_ids[0]
        node = client.account(account)
        labels = [str(node.create("adlabels", name="Winter")["id"]) for _ in range(2)]
        pictures = {row["id"]: row["name"] for row in node.edge("adimages", fields=["name"])}
        creatives = {row["id"] for row in node.edge("adcreatives", fields=["id"])}
        store_accounts(lake, discover(client).rows, NOW)
        sandbox.use("spoiled_creatives:7")

        found = load_objects(client, lake, reports.objects, [account], lambda: NOW)
        states = {name: lake.read(f"{name}_history") for name in reports.objects}
        covers = {one["name"]: one["cover"] for one in lake.read("stories_by_name").to_pylist()}
        load_objects(client, lake, reports.objects, [account], lambda: NOW)

    assert [one.error for one in found] == ["", "", "", ""]
    assert all(lake.read(f"{name}_history").equals(known) for name, known in states.items())
    again = lake.read("stories_by_name").to_pylist()
    assert all(one["cover"] != covers[one["name"]] for one in again if one["cover"])
    assert any(one["cover"] for one in again)
    assert any(one["pictures"] for one in again)
    assert "image_url" not in "".join(one["object_story_spec"] or "" for one in again)
    assert {row["id"]: row["name"] for row in lake.read("pictures").to_pylist()} == pictures
    assert all(key.startswith(f"{account}:") for key in pictures)
    rejects = {
        name: [one for some in of_objects(lake.store, row, account).values() for one in some]
        for name, row in lake.catalog.objects.items()
    }
    [same] = rejects["by_name"]
    assert (same["column_name"], same["value"], same["lost"]) == ("name", '"Winter"', "row")
    kept, other = sorted(labels, key=lambda one: one in same["raw"])
    assert same["reason"].startswith(f"{other} has the same name as {kept}, which is kept; choose")
    assert "Winter" in lake.read("by_name")["name"].to_pylist()
    stories = lake.read("stories").to_pylist()
    assert {row["id"] for row in stories} == creatives
    spoiled = rejects["stories"]
    assert {row["column_name"] for row in spoiled} == {"page"}
    assert all("[code 100/2446211;" in row["reason"] for row in spoiled)
    assert 0 < len(spoiled) < len(stories) / 2
    assert sum(row["page"] is not None for row in stories) > len(stories) / 2
    assert any("_" in (row["effective_object_story_id"] or "") for row in stories)


def test_a_table_that_cannot_be_listed_costs_itself(tmp_path: Path) -> None:
    """The edge does not exist at Graph; the table comes before others of its account."""
    path = tmp_path / "mine.yaml"
    unknown = "attributes: {name: unicorns, edge: adunicorns, fields: [name], allow_unknown: true}"
    labels = "attributes: {name: zebras, edge: adlabels, fields: [name]}"
    kind = "type: pipelines.components.ObjectTable"
    path.write_text(f"{kind}\n{unknown}\n---\n{kind}\n{labels}\n", "utf-8")
    reports = read_reports([path])
    lake = Lake(tmp_path / "lake", catalog=reports.catalog)
    with (
        Sandbox(now=Clock(NOW)) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        session = Session(client, lake, "run-1", lambda: NOW, Recording())
        session.load_accounts(discover(client, sandbox.account_ids[:1]))
        found = session.list_objects(sandbox.account_ids[:1])

    assert {one.table for one in found if one.error} == {"unicorns"}
    assert "zebras" in {one.table for one in found}


def test_whoever_publishes_has_the_tables_with_their_comments(
    loaded: tuple[Lake, dict[str, list[Any]]],
) -> None:
    lake, served = loaded

    published = publish(lake.root)  # without the files of the project

    assert {name: published.rows[name] for name in served} == {
        name: len(rows) for name, rows in served.items()
    }
    with warehouse.open(lake.root) as opened:
        [(comment,)] = opened.sql(
            "select distinct comment from duckdb_columns() where table_name = 'pixels'"
            " and column_name = 'last_fired_time'"
        ).fetchall()
    assert comment == "When it last sent an event; NULL if never [UTC]"
