"""Runs that download pictures of ads: whatever their server does, and whatever is kept already."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.media.bounds import RunBounds
from pipelines.loading.media.choosing import MediaLimits
from pipelines.loading.media.keeping import Pictures, keep_thumbnails
from pipelines.loading.objects import keep_pictures, load_objects
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from tests.clock import Clock
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.schema.objects.creatives import CREATIVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Scene:
    """A lake that has the creatives of all accounts, and no picture of them."""

    lake: Lake
    sandbox: Sandbox
    client: GraphClient
    clock: Clock

    def run(self, seconds: float = 60.0) -> tuple[Counter[str | None], float]:
        """One run: the errors in `thumbnails`, None of those that are kept, and its seconds."""
        began = time.monotonic()
        ids = self.sandbox.account_ids
        keep_pictures(self.client, self.lake, ids, self.clock, seconds=seconds)
        took = time.monotonic() - began
        return Counter(row["error"] for row in self.lake.read("thumbnails").to_pylist()), took

    def empty(self) -> None:
        for account_id in self.sandbox.account_ids:
            self.lake.update("thumbnails", lambda rows: rows.slice(0, 0), account_id=account_id)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    lake = Lake(tmp_path_factory.mktemp("pictures") / "data", catalog=KNOWN.catalog)
    clock = Clock()
    with (
        Sandbox(now=clock) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, clock.now)
        load_objects(client, lake, ["creatives"], sandbox.account_ids, clock)
        yield Scene(lake, sandbox, client, clock)


def test_whatever_the_server_of_pictures_does_a_run_ends_in_time_and_the_next_one_goes_on(
    scene: Scene,
) -> None:
    number = scene.lake.read("creatives").num_rows
    of_cut = "the picture is cut short or damaged (image/png)"

    for way, errors in {
        "hangs": {},
        "slow": {},
        "errors": {"the response was HTTP 500"},
        "cut": {of_cut},
    }.items():
        scene.empty()
        scene.sandbox.use(f"broken_pictures:{way}")
        found, seconds = scene.run(2.0)
        scene.sandbox.use()
        assert found.keys() == {*errors}, way
        # A server that is down ends it soon; one that sends half of each picture does not.
        most = number if way == "cut" else 16 + 7
        assert found.total() <= most
        assert seconds < 2.0 + 3.0
    after, _ = scene.run()
    assert after == {None: number}

    # A stop ends it at once, as Ctrl-C does.
    scene.empty()
    scene.sandbox.use("broken_pictures:hangs")
    with GraphClient(scene.sandbox.token, base_url=scene.sandbox.url) as client:
        threading.Timer(0.3, client.stop).start()
        began = time.monotonic()
        keep_pictures(client, scene.lake, scene.sandbox.account_ids, scene.clock)
        assert time.monotonic() - began < 3.0
    scene.sandbox.use()
    scene.run()


def test_a_file_that_is_gone_or_damaged_is_downloaded_again(scene: Scene) -> None:
    scene.run()
    whole = {one.key: scene.lake.store.read(one.key) for one in scene.lake.store.find("media/*/*")}
    gone, cut, flipped, *_ = (Path(scene.lake.root) / key for key in whole)
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:40])
    flipped.write_bytes(b"?" + flipped.read_bytes()[1:])

    scene.run()

    again = {one.key: scene.lake.store.read(one.key) for one in scene.lake.store.find("media/*/*")}
    assert again == whole


def test_addresses_that_come_back_expired_end_reading_again(scene: Scene) -> None:
    """As where the clock of a sandbox stands, or is days off."""
    scene.empty()
    there = scene.clock.now
    late = Clock(there + timedelta(days=30))
    scene.sandbox.reset_calls()

    done = keep_pictures(scene.client, scene.lake, scene.sandbox.account_ids, late)

    calls = {one["path"]: one["count"] for one in scene.sandbox.calls()["calls"]}
    tried = [one for one in done.values() if one.calls]
    assert (calls.get("/"), len(tried), len(done)) == (3, 3, len(scene.sandbox.account_ids))
    assert all(one.kept == 0 and one.calls <= 50 for one in done.values())
    assert all(one.left > 0 for one in done.values() if not one.calls)


def test_pictures_are_bounded_and_the_others_come_next(scene: Scene) -> None:
    scene.empty()
    account_id = scene.sandbox.account_ids[0]
    listed = scene.lake.read("creatives", account_id=account_id).num_rows
    lake = scene.lake

    def kept(graph_url: str, limits: MediaLimits | None = None) -> Pictures:
        where = (graph_url, lake, CREATIVES, [account_id], scene.clock)
        bounds = RunBounds(time.monotonic)
        done = keep_thumbnails(*where, read_again=unexpected, bounds=bounds, limits=limits)
        return done[account_id]

    few = kept(scene.sandbox.url, MediaLimits(pictures=5))
    small = kept(scene.sandbox.url, MediaLimits(total_bytes=1))
    elsewhere = kept("https://graph.facebook.com")

    assert (few.kept + few.failed, few.left) == (5, listed - 5)
    assert 1 <= small.kept + small.failed <= 8  # those that were under way
    assert elsewhere.kept == 0
    assert elsewhere.failed == listed - few.kept - small.kept
    errors = lake.read("thumbnails", account_id=account_id)["error"].to_pylist()
    assert "its address does not begin with https://" in errors


def unexpected(account_id: str, ids: Sequence[str], seconds: float) -> str:
    """No address has expired, so nothing is read again."""
    raise AssertionError((account_id, ids, seconds))


def test_nothing_is_downloaded_if_media_is_off(scene: Scene) -> None:
    scene.empty()
    off = Session(scene.client, scene.lake, "run", scene.clock, Recording(), media=False)

    off.keep_pictures(scene.sandbox.account_ids)

    assert scene.lake.read("thumbnails").num_rows == 0
