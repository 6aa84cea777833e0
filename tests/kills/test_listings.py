"""A process that lists objects is killed between two of its files: the next listing ends with the
truth, and no history has a state twice.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

import pyarrow.compute as pc
import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.objects import load_objects
from tests.clock import NOW
from tests.kills import scene
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES: Final = ("campaigns", "ads", "creatives", "images")

#: Some values cannot be read, so that rejects are written too, and some objects fail their pages.
FAULTS: Final = ("odd_objects:9", "spoiled_creatives:7")

#: Of the files of a listing, a table has three: rejects, history, latest state.
MOMENTS: Final = (1, 8, 14)

_context = get_context("forkserver")
_context.set_forkserver_preload([__name__, scene.__name__])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scenarios=FAULTS, now=lambda: NOW, accounts=2) as running:
        yield running


def files_in(lake: Lake) -> int:
    """How many files of data there are; folders may come and go meanwhile."""
    every = (name for _, _, names in os.walk(lake.root) for name in names)
    return sum(name.endswith(".parquet") for name in every)


def begun(root: Path, sandbox: Sandbox) -> Lake:
    """A lake that has the accounts alone."""
    lake = Lake(root, catalog=KNOWN.catalog)
    with GraphClient(sandbox.token, base_url=sandbox.url) as client:
        store_accounts(lake, discover(client, ()).rows, NOW)
    return lake


def list_all(root: Path, url: str, token: str, account_ids: tuple[str, ...]) -> None:
    """List everything, as a refresh does. Raises AssertionError if anything fails."""
    lake = Lake(root, catalog=KNOWN.catalog)
    with GraphClient(token, base_url=url) as client:
        found = load_objects(client, lake, TABLES, account_ids, lambda: NOW)
    assert [one.error for one in found if one.error] == []


def contents(lake: Lake) -> dict[str, Counter[str]]:
    """Rows of all tables. Addresses that are signed differ at each read."""
    rows: dict[str, Counter[str]] = {}
    for name in TABLES:
        row = KNOWN.catalog.objects_named(name)
        for table in filter(None, (row.latest, row.history)):
            found = lake.read(table.name)
            names = sorted({*found.column_names} - {"thumbnail_url", "image_url", "url"})
            rows[table.name] = Counter(map(str, found.select(names).to_pylist()))
    return rows


def test_a_listing_that_is_killed_leaves_nothing_that_the_next_one_does_not_mend(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    arguments: Any = (sandbox.url, sandbox.token, tuple(sandbox.account_ids))
    whole = begun(tmp_path / "whole", sandbox)
    list_all(whole.root, *arguments)
    expected = contents(whole)
    assert all(expected[name] for name in TABLES)
    hits = 0
    for moment in MOMENTS:
        lake = begun(tmp_path / str(moment), sandbox)
        before = files_in(lake)
        process = _context.Process(target=list_all, args=(lake.root, *arguments))
        process.start()
        while process.is_alive() and files_in(lake) - before < moment:
            time.sleep(0.0005)
        process.kill()
        process.join()
        hits += process.exitcode == -signal.SIGKILL and contents(lake) != expected
        list_all(lake.root, *arguments)

        assert contents(lake) == expected
        for name in TABLES:
            history = KNOWN.catalog.objects_named(name).history
            if history is not None:
                states = lake.read(history.name)
                assert pc.all(states["valid_to"].is_null()).as_py()
    assert hits == len(MOMENTS)
