"""Objects that nest deeper, or have longer numbers, than Python holds: a value costs itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import warehouse
from fbgraph import GraphClient
from fbgraph.http.parsing import DEEPEST, loads
from fbgraph.http.response import text_ids
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.world.dice import dice
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.objects import load_objects
from tests.clock import Clock
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from pathlib import Path


def test_json_of_any_depth_and_with_numbers_of_any_length_is_read() -> None:
    deep = b'{"a]": "\\"[", "deep": ' + b"[" * 5_000 + b"1" + b"]" * 5_000 + b', "b": 2}'
    long = b'{"n": ' + b"9" * 5_000 + b', "m": 1}'
    both = b'{"n": ' + b"9" * 5_000 + b', "deep": ' + b'{"x":' * 3_000 + b"1" + b"}" * 3_001

    assert {key: one for key, one in loads(deep).items() if key != "deep"} == {"a]": '"[', "b": 2}
    assert loads(long) == {"n": "9" * 5_000, "m": 1}
    assert loads(both)["n"] == "9" * 5_000
    for body in (deep, both):
        one, depth = loads(body)["deep"], 1
        while isinstance(one, dict | list):
            one, depth = next(iter(one.values())) if isinstance(one, dict) else one[0], depth + 1
        assert (str(one), depth) == ("nan", DEEPEST)
    assert text_ids(loads(b"[" * 450 + b"]" * 450)) is not None


def test_values_that_are_overdone_cost_themselves_in_every_table_of_objects(tmp_path: Path) -> None:
    clock = Clock()
    names = [row.name for row in KNOWN.catalog.listed]
    with (
        Sandbox(world="hostile", now=clock) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):

        def loaded(folder: str, *scenarios: str) -> tuple[Lake, dict[str, dict[str, Any]]]:
            sandbox.use(*scenarios)
            lake = Lake(tmp_path / folder, catalog=KNOWN.catalog)
            store_accounts(lake, discover(client).rows, clock.now)
            found = load_objects(client, lake, names, sandbox.account_ids[:1], clock)
            assert [one.error for one in found] == [""] * len(names)
            assert all(len(str(one.unreadable)) < 300 for one in found)
            return lake, {
                name: {row[table.key]: row for row in lake.read(name).to_pylist()}
                for name, table in KNOWN.catalog.objects.items()
            }

        _, truth = loaded("truth")
        lake, overdone = loaded("overdone", "overdone_objects:3")

    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        rejected = set(
            opened.sql("from rejects select distinct table_name, column_name").fetchall()
        )
    hit = 0
    for name, rows in truth.items():
        assert overdone[name].keys() == rows.keys(), name
        for key, row in rows.items():
            moving = {"fetched_at", *(c for c in row if c.endswith("_url"))}
            differ = {c for c in row if row[c] != overdone[name][key][c]} - moving
            hit += bool(differ)
            if differ and name in {"campaigns", "adsets", "ads", "creatives"}:
                assert dice("overdone", key) % 3 == 0
            # A value is NULL and rejected, unless it is of an inner part, which is not there now; a
            # number in a column of texts is that text.
            assert {c for c in differ if overdone[name][key][c] is None} <= {
                column for table, column in rejected if table == name
            } | {
                c.name
                for c in KNOWN.catalog.objects[name].columns
                if not c.source or "." in c.source
            }
    assert hit > 10
