"""Creatives of a whole sandbox, as the lake and the published file have them, against its truth."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.tree import World
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.media.bounds import RunBounds
from pipelines.loading.media.keeping import keep_thumbnails
from pipelines.loading.objects import load_new, load_objects
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from tests.clock import NOW, Clock
from tests.reports import KNOWN
from warehouse.decode.objects import id_of
from warehouse.lake.defects.failures import failure_key, read_failed
from warehouse.lake.forgetting import remove_account, traces_of
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.objects.creatives import CREATIVES, THUMBNAIL_PIXELS
from warehouse.schema.objects.links import UTM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from fbgraph.sandbox.world.creatives.content import Content


@dataclass(frozen=True)
class Loaded:
    """A lake with everything, and what it was loaded from."""

    lake: Lake
    sandbox: Sandbox
    client: GraphClient
    world: World

    @property
    def account_ids(self) -> list[str]:
        return list(self.sandbox.account_ids)

    def rows(self, table: str, account_id: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.lake.read(table, account_id=account_id).to_pylist()
        return found

    def contents(self) -> dict[str, Content]:
        """Creative → its content, of all that are listed."""
        return {
            node.id: content_of(node)
            for account in self.world.accounts
            for node in self.world.creatives(account)
        }


def now() -> datetime:
    return NOW


def unexpected(account_id: str, ids: Sequence[str], seconds: float) -> str:
    """No address has expired, so nothing is read again."""
    raise AssertionError((account_id, ids, seconds))


def session(loaded: Loaded, lake: Lake, *, media: bool = False, days: int = 0) -> Session:
    return Session(
        *(loaded.client, lake, "run", lambda: NOW + timedelta(days=days), Recording()), media=media
    )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    lake = Lake(tmp_path_factory.mktemp("creatives") / "data", catalog=KNOWN.catalog)
    with (
        Sandbox(world="hostile", now=now) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        store_accounts(lake, discover(client).rows, NOW)
        found = Loaded(lake, sandbox, client, World(1, HOSTILE))
        one = session(found, lake, media=True)
        one.list_objects(found.account_ids)
        one.keep_pictures(found.account_ids)
        publish(lake.root)
        yield found


@pytest.fixture
def copy(loaded: Loaded, tmp_path: Path) -> Iterator[Loaded]:
    """A lake of its own that knows the accounts and nothing else; scenarios end with the test."""
    lake = Lake(tmp_path / "data", catalog=KNOWN.catalog)
    store_accounts(lake, discover(loaded.client).rows, NOW)
    yield Loaded(lake, loaded.sandbox, loaded.client, loaded.world)
    loaded.sandbox.use()


def expected(content: Content) -> dict[str, Any]:
    """The columns of a creative, said once more and by other means."""
    is_photo = content.form == "photo"
    link = None if is_photo else content.link
    values: dict[str, Any] = {
        "link": link,
        "landing_page": None
        if link is None
        else urlsplit(link)._replace(query="", fragment="").geturl(),
        "url_tags": content.url_tags or None,
        "title": "{{product.name}}" if content.form == "template" else content.title,
        "body": content.body,
        "description": {"photo": None, "template": "{{product.price}}"}.get(
            content.form, content.description
        ),
        "call_to_action": content.call_to_action,
        "page_id": content.page_id,
        "instagram_user_id": content.instagram_user_id,
        "video_id": content.video.id if content.video else None,
        "product_set_id": content.product_set_id or None,
        "image_hash": (
            content.cards[0].picture.hash
            if content.form == "carousel"
            else content.video.picture.hash
            if content.video
            else content.pictures[0].hash
            if content.pictures
            else None
        ),
    }
    both = [parse_qs(text) for text in (content.url_tags, urlsplit(link or "").query)]
    for name in UTM:
        values[name] = next((of[name][0] for of in both if name in of), None)
    return values


def test_every_creative_has_the_link_the_texts_and_the_utm_that_the_sandbox_gave_it(
    loaded: Loaded,
) -> None:
    contents = loaded.contents()
    rows = {row["creative_id"]: row for row in loaded.rows("creatives")}

    assert {key: expected(one) for key, one in contents.items()} == {
        key: {name: row[name] for name in expected(contents[key])} for key, row in rows.items()
    }
    assert {one.form for one in contents.values()} == {
        *("link", "photo", "video", "carousel", "template", "feed"),
    }
    with warehouse.open(loaded.lake.root) as opened:
        assert opened.sql("from rejects where table_name = 'creatives'").fetchall() == []


def test_every_ad_leads_to_its_creative(loaded: Loaded) -> None:
    ads = loaded.rows("ads")

    assert len(ads) > 0
    assert {row["creative_id"] for row in ads} <= {
        row["creative_id"] for row in loaded.rows("creatives")
    }
    assert {row["ad_id"]: row["creative_id"] for row in ads} == {
        ad.id: loaded.world.creative_of(ad).id
        for account in loaded.world.accounts
        for ad in account.under("ad")
        if ad.id in {row["ad_id"] for row in ads}
    }


def test_feeds_and_carousels_are_rows_of_creative_assets(loaded: Loaded) -> None:
    with warehouse.open(loaded.lake.root) as opened:
        parts = opened.arrow("from creative_assets").to_pylist()
    found: dict[tuple[str, str, str], list[Any]] = {}
    for part in sorted(parts, key=lambda part: part["position"]):
        column = {"image": "image_hash", "video": "video_id", "link": "link"}.get(part["kind"])
        value = part[column or "text"]
        if part["kind"] == "card":
            value = (part["text"], part["description"], part["image_hash"], part["link"])
        found.setdefault((part["creative_id"], part["source"], part["kind"]), []).append(value)

    wanted: dict[tuple[str, str, str], list[Any]] = {}
    for key, content in loaded.contents().items():
        if content.form == "feed":
            wanted[key, "asset_feed", "body"] = list(content.bodies)
            wanted[key, "asset_feed", "title"] = list(content.titles)
            wanted[key, "asset_feed", "image"] = [one.hash for one in content.pictures]
            wanted[key, "asset_feed", "link"] = [content.link]
        elif content.form != "template":
            wanted[key, "creative", "body"] = [content.body]
        for card in content.cards:
            value = (card.title, card.description, card.picture.hash, card.link)
            wanted.setdefault((key, "carousel", "card"), []).append(value)

    assert {key: found.get(key) for key in wanted} == wanted
    assert {key for key, _, kind in found if kind == "card"} == {
        key for key, _, kind in wanted if kind == "card"
    }


def test_a_thumbnail_is_downloaded_once_and_kept_under_its_hash(loaded: Loaded) -> None:
    rows = {row["creative_id"]: row for row in loaded.rows("thumbnails")}
    creatives = {row["creative_id"]: row for row in loaded.rows("creatives")}

    assert rows.keys() == creatives.keys()
    assert "template" in {one.form for one in loaded.contents().values()}
    for row in rows.values():
        content = loaded.lake.store.read(row["path"])
        assert row["path"] == f"media/{row['sha256'][:2]}/{row['sha256']}.png"
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert (row["bytes"], row["mime"], row["error"]) == (len(content), "image/png", None)
        assert (row["width"], row["height"]) == (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS)
    files = {one.key for one in loaded.lake.store.find("media/*/*")}
    assert files == {row["path"] for row in rows.values()}

    where = (loaded.sandbox.url, loaded.lake, CREATIVES, loaded.account_ids, now)
    again = keep_thumbnails(*where, read_again=unexpected, bounds=RunBounds(time.monotonic))

    assert sum(one.kept + one.failed for one in again.values()) == 0


def test_a_second_listing_changes_addresses_and_no_history(loaded: Loaded) -> None:
    account_id = loaded.account_ids[0]
    before = loaded.rows("creatives", account_id)
    states = loaded.lake.read("creatives_history", account_id=account_id)

    load_objects(loaded.client, loaded.lake, ["creatives"], [account_id], now)

    after = {row["creative_id"]: row for row in loaded.rows("creatives", account_id)}
    moved = {"thumbnail_url", "image_url", "fetched_at"}
    assert all(after[row["creative_id"]]["thumbnail_url"] != row["thumbnail_url"] for row in before)
    assert [{k: v for k, v in row.items() if k not in moved} for row in before] == [
        {k: v for k, v in after[row["creative_id"]].items() if k not in moved} for row in before
    ]
    assert loaded.lake.read("creatives_history", account_id=account_id).equals(states)
    assert not moved & {*states.schema.names}


@pytest.mark.parametrize("scenario", ["spoiled_creatives:7", "heavy_creatives:7"])
def test_a_creative_that_fails_its_page_costs_itself_and_keeps_what_is_known(
    copy: Loaded, loaded: Loaded, scenario: str
) -> None:
    account_id = copy.account_ids[0]
    copy.sandbox.use(scenario)

    [first] = load_objects(copy.client, copy.lake, ["creatives"], [account_id], now)

    whole = {row["creative_id"]: row for row in loaded.rows("creatives", account_id)}
    rows = {row["creative_id"]: row for row in copy.rows("creatives", account_id)}
    bad = {key for key, row in rows.items() if row["object_story_spec"] is None}
    assert (first.error, rows.keys()) == ("", whole.keys())
    assert 0 < len(bad) < len(rows) / 2
    same = {"creative_name", "url_tags", "page_id", "post_id", "link", "landing_page", "utm_source"}
    assert all(rows[key][name] == whole[key][name] for key in rows.keys() - bad for name in same)
    assert all(rows[key]["creative_name"] == whole[key]["creative_name"] for key in bad)
    assert all(rows[key]["link"] is None for key in bad)
    publish(copy.lake.root)
    with warehouse.open(copy.lake.root) as opened:
        rejected = opened.sql(
            "from rejects select distinct column_name where table_name = 'creatives' "
            "and reason like '%GET act_%'"
        ).fetchall()
    assert {("object_story_spec",), ("link",), ("landing_page",)} <= {*rejected}
    assert "act_" in str(first.unreadable)

    # It can be read again, then not: what is known stays, and nothing of it is a change.
    copy.sandbox.use()
    load_objects(copy.client, copy.lake, ["creatives"], [account_id], now)
    copy.sandbox.use(scenario)
    load_objects(copy.client, copy.lake, ["creatives"], [account_id], now)

    kept = {row["creative_id"]: row for row in copy.rows("creatives", account_id)}
    assert all(kept[key][name] == whole[key][name] for key in whole for name in same)
    assert copy.lake.read("creatives_history", account_id=account_id).num_rows == len(whole)


def test_a_creative_that_always_fails_costs_itself_a_few_requests_and_seconds(
    copy: Loaded, loaded: Loaded
) -> None:
    account_id = copy.account_ids[0]
    load_objects(copy.client, copy.lake, ["ads"], [account_id], now)
    whole = {row["creative_id"]: row for row in loaded.rows("creatives", account_id)}
    bad = {key for key in whole if dice("failing", key) % 12 == 0}
    used = {row["creative_id"] for row in copy.rows("ads", account_id)}
    assert 0 < len(bad) <= 3
    assert bad <= used

    for scenario, cut in (
        ("failing_creatives:12", False),
        ("failing_creatives:12 flaky:5", False),
        ("dead_creatives:12", True),
    ):
        for table in ("creatives", "creatives_history"):
            copy.lake.update(table, lambda rows: rows.slice(0, 0), account_id=account_id)
        clock = Clock()
        with GraphClient(
            copy.sandbox.token,
            base_url=copy.sandbox.url,
            sleep=clock.sleep,
            clock=clock.seconds,
        ) as client:
            copy.sandbox.use(*scenario.split())
            [found] = load_objects(client, copy.lake, ["creatives"], [account_id], now)
            calls = client.tally.calls
        copy.sandbox.use()

        rows = {row["creative_id"]: row for row in copy.rows("creatives", account_id)}
        if cut:  # what nobody lists can be read by id, if an ad mentions it
            assert rows.keys() <= whole.keys() - bad
            assert rows.keys() >= used - bad
            assert "of the list) fails: An unknown error occurred" in found.error
            assert found.listing
            by_id = len(rows.keys() - {id_of(CREATIVES, one) for one in found.listing.rows})
            assert found.error.endswith(f"stored, and {by_id} more that other objects mention.")
            assert not found.listing.complete
        else:
            assert ({*rows}, found.error) == (whole.keys() - bad, "")
        assert all(rows[key]["link"] == whole[key]["link"] for key in rows)
        assert calls <= len(whole) + 25 * len(bad)
        assert clock.seconds() <= (60 if "flaky" in scenario else 15) + 10 * len(bad)
        failed = read_failed(copy.lake.store, failure_key("creatives", account_id, None))
        assert (failed is not None) == cut
        publish(copy.lake.root)
        with warehouse.open(copy.lake.root) as opened:
            named = opened.sql(
                "from rejects select distinct raw ->> 'id' where table_name = 'creatives'"
            ).fetchall()
        assert {key for (key,) in named} == bad


def test_what_ads_mention_between_two_listings_is_read_by_id_in_few_requests(
    copy: Loaded, loaded: Loaded
) -> None:
    account_id = copy.account_ids[0]
    session(copy, copy.lake).list_objects([account_id])
    used = {row["creative_id"] for row in copy.rows("ads", account_id)}
    for table in ("creatives", "creatives_history"):
        copy.lake.update(table, lambda rows: rows.slice(0, 3), account_id=account_id)
    known = {row["creative_id"] for row in copy.rows("creatives", account_id)}
    copy.sandbox.use("spoiled_creatives:7")
    copy.sandbox.reset_calls()

    session(copy, copy.lake, days=1).list_objects([account_id])

    rows = {row["creative_id"]: row for row in copy.rows("creatives", account_id)}
    assert rows.keys() == known | used
    assert sum(row["object_story_spec"] is None for row in rows.values()) > 0
    assert {key: row["creative_name"] for key, row in rows.items()} == {
        row["creative_id"]: row["creative_name"]
        for row in loaded.rows("creatives", account_id)
        if row["creative_id"] in rows
    }
    # A batch, and one more for what fails in it; what is due weekly is not listed again.
    calls = {(one["method"], one["path"]): one["count"] for one in copy.sandbox.calls()["calls"]}
    assert calls["POST", "/"] == 2
    assert not {path for _, path in calls if path.endswith(("/adcreatives", "/adimages"))}
    assert not load_new(copy.client, copy.lake, CREATIVES, [account_id], now)


def test_forgetting_an_account_takes_its_pictures_but_not_those_of_others(copy: Loaded) -> None:
    first, second, *_ = copy.account_ids
    one = session(copy, copy.lake, media=True)
    one.list_objects([first, second])
    one.keep_pictures([first, second])
    shared = next(row for row in copy.rows("thumbnails", first) if row["path"])
    copy.lake.update("thumbnails", lambda rows: _with(rows, shared, second), account_id=second)

    remove_account(copy.lake, first, traces_of(copy.lake, first).files)

    files = {one.key for one in copy.lake.store.find("media/*/*")}
    paths = {row["path"] for row in copy.rows("thumbnails") if row["path"]}
    assert files == paths
    assert shared["path"] in files
    assert {row["account_id"] for row in copy.rows("thumbnails")} == {second}


def _with(rows: Any, row: Mapping[str, Any], account_id: str) -> Any:
    """A row of another account, added."""
    import pyarrow as pa  # noqa: PLC0415

    added = pa.Table.from_pylist([{**row, "account_id": account_id}], schema=rows.schema)
    return pa.concat_tables([rows, added])
