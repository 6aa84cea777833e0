"""Activities, from the sandbox into the lake and the published file, and the view `changes`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.catalog.fields import readable
from fbgraph.errors import Detail, RetryableError, TooMuchDataError
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.events.activities import SHORTEST_SLICE, Slice, halved, read_slices, slices
from pipelines.loading.objects import load_objects
from pipelines.loading.session import load_accounts
from pipelines.reports.object_spec import FieldSpec, ObjectSpec, object_table_of
from tests.clock import Clock
from warehouse.decode.activities import described
from warehouse.decode.objects import Unreadable
from warehouse.decode.pages import Account
from warehouse.lake.history import merge_objects
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.catalog import OWN
from warehouse.schema.views.listed import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

NOW = datetime(2026, 11, 23, 11, 7, tzinfo=UTC)
TABLES = ("campaigns", "adsets", "ads", "activities")
DAY = timedelta(days=1)
SINCE = "2026-09-20"

#: An account with few objects, by its place in the listing.
SMALL = 5


# --- decisions ------------------------------------------------------------------------------


def test_a_range_is_cut_into_slices_without_gaps_oldest_first() -> None:
    since = NOW - 75 * DAY

    found = slices(since, NOW)

    assert [one.since for one in found] == [since, *(one.until for one in found[:-1])]
    assert (found[-1].until, len(found), slices(NOW, NOW)) == (NOW, 3, [])
    first, second = halved(found[0])
    assert (first.since, first.until, second.until) == (since, second.since, found[0].until)
    assert halved(Slice(NOW, NOW + SHORTEST_SLICE)) == ()


@dataclass
class Served:
    """A server of slices: what it was asked for, what it refuses, what was stored."""

    refuses: Callable[[Slice], Exception | None]
    asked: list[Slice] = field(default_factory=list)
    stored: list[Slice] = field(default_factory=list)
    covered: datetime | None = None

    def read(self, one: Slice) -> Sequence[Any]:
        self.asked.append(one)
        if error := self.refuses(one):
            raise error
        return [{}]

    def store(self, _: Sequence[Any], covered: datetime | None) -> Unreadable:
        self.stored.append(self.asked[-1])
        self.covered = covered or self.covered
        return Unreadable()


TOO_MUCH = TooMuchDataError(Detail("Please reduce the amount of data", code=1))
UNKNOWN = RetryableError(Detail("An unknown error occurred", code=1, subcode=99))
BUSY = RetryableError(Detail("Service temporarily unavailable", code=2))


def test_what_is_too_long_is_halved_and_what_cannot_be_read_costs_itself_and_is_named() -> None:
    bad = NOW - 40 * DAY
    served = Served(lambda one: TOO_MUCH if one.since <= bad < one.until else None)

    found = read_slices(served.read, served.store, NOW - 60 * DAY, NOW)

    [(lost, _)] = found.failed
    stored = sum((one.until - one.since for one in served.stored), timedelta())
    assert lost.since <= bad < lost.until
    assert lost.until - lost.since <= SHORTEST_SLICE
    assert stored + (lost.until - lost.since) == 60 * DAY
    assert served.stored == sorted(served.stored, key=lambda one: one.since)
    assert found.covered_until == served.covered == lost.since
    assert str(lost) in found.error
    assert "Please reduce" in found.error


@pytest.mark.parametrize(
    ("error", "calls"), [(UNKNOWN, 4), (BUSY, 1), (RetryableError("reset"), 1)]
)
def test_an_error_that_is_not_about_the_range_ends_the_account_after_few_calls(
    error: Exception, calls: int
) -> None:
    served = Served(lambda _: error)

    with pytest.raises(RetryableError):
        read_slices(served.read, served.store, NOW - 60 * DAY, NOW)

    assert (len(served.asked), served.stored) == (calls, [])


# --- the whole way --------------------------------------------------------------------------


@dataclass
class Scene:
    sandbox: Sandbox
    client: GraphClient
    clock: Clock
    lake: Lake

    def load(self, *tables: str, account: int = SMALL) -> Any:
        [*found] = load_objects(
            self.client, self.lake, tables, [self.sandbox.account_ids[account]], self.clock
        )
        return found[-1]

    def served(self, account: int = SMALL, days: int = 90) -> list[dict[str, Any]]:
        """What Graph has, by a reader of its own."""
        since = int((self.clock.now - days * DAY).timestamp())
        edge = self.client.account(self.sandbox.account_ids[account]).edge(
            "activities", fields=readable("adactivity"), since=since, limit=5000
        )
        return [dict(row) for row in edge]

    def rows(self, account: int = SMALL) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.lake.read(
            "activities", account_id=self.sandbox.account_ids[account]
        ).to_pylist()
        return found


def set_history(folder: Path) -> None:
    """It begins two months before, so that three loads have all of it."""
    folder.mkdir()
    (folder / ".history.json").write_text(json.dumps({"since": SINCE}), encoding="utf-8")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    clock = Clock(NOW)
    with (
        Sandbox(world="hostile", now=clock) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        lake = Lake(tmp_path / "data")
        set_history(tmp_path / "data")
        load_accounts(lake, discover(client), NOW)
        yield Scene(sandbox, client, clock, lake)


def test_activities_are_loaded_whole_then_what_is_new_and_nothing_twice(scene: Scene) -> None:
    scene.sandbox.use("long_activities:10")
    first = scene.load("activities")
    scene.sandbox.use()
    newest = scene.rows()
    scene.clock.now += DAY
    scene.load("activities")
    scene.clock.now += DAY
    scene.load("activities")
    loaded, calls = scene.rows(), scene.sandbox.calls()["total"]
    campaign = next(row["object_id"] for row in loaded if row["object_type"] == "campaign")
    scene.clock.now += DAY
    scene.sandbox.change(campaign, name="Renamed")
    scene.clock.now += timedelta(hours=2)

    again = scene.load("activities")
    next_calls = scene.sandbox.calls()["total"] - calls

    truth = [row for row in scene.served() if row["event_time"] >= SINCE]
    rows = scene.rows()
    assert (first.error, again.error, next_calls) == ("", "", 1)
    assert NOW - 30 * DAY <= min(row["event_time"] for row in newest) < NOW - 20 * DAY
    assert len(loaded) > 100
    assert Counter(row["activity_id"] for row in rows) == Counter(
        {described(row)["activity_id"]: 1 for row in truth}
    )
    of = {described(row)["activity_id"]: row for row in truth}
    for row in rows:
        one = of[row["activity_id"]]
        assert row["event_time"] == datetime.fromisoformat(one["event_time"])
        for name in ("event_type", "object_id", "object_name", "actor_id", "extra_data"):
            assert row[name] == one.get(name)
    [renamed] = [row for row in rows if row["new_value"] == "Renamed"]
    assert (renamed["object_type"], renamed["application_name"]) == ("campaign", "Ads Manager")


def test_an_account_whose_activities_are_refused_keeps_what_it_had_and_says_so(
    scene: Scene,
) -> None:
    scene.load("activities", account=1)
    before = scene.rows(1)
    scene.clock.now += DAY
    scene.sandbox.use("forbidden_account")

    refused = scene.load("activities", account=1)

    assert "code 200" in refused.skipped + refused.error
    assert scene.rows(1) == before
    publish(scene.lake.root)
    [failed] = (
        warehouse.open(scene.lake.root)
        .sql("select table_name, reason from failures where table_name = 'activities'")
        .fetchall()
    )
    assert "ads_read" in failed[1]


#: Columns of an ad set whose audience was changed and which was renamed afterwards → by what.
AIMED: Final = {
    **dict.fromkeys(
        ("countries", "custom_audience_ids", "custom_audience_names", "targeting"),
        "update_ad_set_target_spec",
    ),
    "adset_name": "update_ad_set_name",
}


def aimed_elsewhere(scene: Scene, account_id: str) -> str:
    """Change whom an ad set is shown to and, a second later, its name; returns its id."""
    adset = str(scene.lake.read("adsets", account_id=account_id)["adset_id"][0])
    audience = {"id": "1", "name": "Visitors"}
    aimed = {"geo_locations": {"countries": ["NZ"]}, "custom_audiences": [audience]}
    scene.sandbox.change(adset, targeting=aimed)
    scene.clock.now += timedelta(seconds=1)
    scene.sandbox.change(adset, name="Renamed")
    return adset


def test_changes_say_what_changed_between_two_looks_and_who_did_it(scene: Scene) -> None:
    fields = (FieldSpec(field="name"), FieldSpec(field="updated_time", name="group"))
    mine = object_table_of(ObjectSpec(name="labels", edge="adlabels", fields=fields))
    scene.lake = Lake(scene.lake.root, catalog=OWN.with_objects(mine))
    account = scene.client.account(scene.sandbox.account_ids[SMALL])
    label = str(account.create("adlabels", name="Winter")["id"])
    scene.load(*TABLES, mine.name)
    lost = {"id": "77", "name": "Lost", "effective_status": "ACTIVE"}
    known_account = accounts_in(scene.lake)[scene.sandbox.account_ids[SMALL]]
    merge_objects(scene.lake, "campaigns", [lost], known_account, scene.clock.now, complete=False)
    known = scene.lake.read("campaigns", account_id=scene.sandbox.account_ids[SMALL]).to_pylist()
    campaign = next(row for row in known if row["daily_budget"] and row["status"] == "ACTIVE")
    ads = scene.lake.read("ads", account_id=scene.sandbox.account_ids[SMALL]).to_pylist()
    running = {row["campaign_id"] for row in ads if row["effective_status"] == "ACTIVE"}
    other = next(row for row in known if row["campaign_id"] in running and row is not campaign)
    scene.clock.now += timedelta(hours=5)
    done_at = scene.clock.now.replace(microsecond=0)
    scene.sandbox.change(campaign["campaign_id"], daily_budget="77700", name="Spring")
    scene.sandbox.change(other["campaign_id"], status="PAUSED")
    scene.sandbox.change(label, name="Autumn")
    new = account.create(
        *("campaigns",),
        name="New",
        objective="OUTCOME_SALES",
        status="PAUSED",
        special_ad_categories=[],
        is_adset_budget_sharing_enabled=False,
    )
    adset = aimed_elsewhere(scene, known_account.account_id)
    scene.clock.now += timedelta(hours=5)
    scene.load(*TABLES, mine.name)

    publish(scene.lake.root)
    found = warehouse.open(scene.lake.root).sql("from changes").fetchall()
    columns = [column.name for column in VIEWS["changes"].columns]
    rows = [dict(zip(columns, row, strict=True)) for row in found]
    by = {(row["object_id"], row["column_name"]): row for row in rows}

    budget = by[campaign["campaign_id"], "daily_budget"]
    assert float(budget["old_value"]) == float(campaign["daily_budget"])
    assert float(budget["new_value"]) == 777
    assert (budget["event_type"], budget["event_time"]) == ("update_campaign_budget", done_at)
    assert (budget["actor_id"] or "", budget["application_name"]) > ("", "A")
    assert by[campaign["campaign_id"], "campaign_name"]["event_type"] == "update_campaign_name"
    assert {column: by[adset, column]["event_type"] for column in AIMED} == AIMED
    assert by[other["campaign_id"], "status"]["new_value"] == "PAUSED"
    below = [row for row in rows if row["new_value"] == "CAMPAIGN_PAUSED"]
    assert {row["object_type"] for row in below} == {"adset", "ad"}
    assert {row["event_object_id"] for row in below} == {other["campaign_id"]}
    [appeared] = [row for row in rows if row["change"] == "appeared"]
    assert (appeared["object_id"], appeared["object_name"]) == (new["id"], "New")
    assert (appeared["event_type"], appeared["event_time"]) == ("create_campaign_group", done_at)
    [vanished] = [row for row in rows if row["change"] == "vanished"]
    assert (vanished["object_id"], vanished["object_name"]) == ("77", "Lost")
    assert {row["change"] for row in rows} == {"changed", "appeared", "vanished"}
    assert {row["seen_at"] for row in rows if row is not vanished} == {scene.clock.now}
    of_label = by[label, "name"]
    assert (of_label["object_type"], of_label["object_name"]) == ("label", "Autumn")
    assert (of_label["old_value"], of_label["new_value"]) == ("Winter", "Autumn")


def test_what_is_first_seen_late_appeared_only_if_it_was_created_after_the_first_listing(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path / "data")
    account = Account("1", "Europe/Berlin", "EUR")
    old, new = "2026-01-01T00:00:00+0000", "2026-11-24T00:00:00+0000"
    seconds, day = NOW + timedelta(seconds=5), NOW + 2 * DAY
    seen: list[tuple[str, str, datetime, str | None, str]] = [
        ("campaigns", "1", NOW, old, "ACTIVE"),
        ("campaigns", "2", seconds, old, "DELETED"),  # mentioned by insights, read by id
        ("campaigns", "3", seconds, old, "ARCHIVED"),
        ("campaigns", "4", day, old, "ARCHIVED"),  # mentioned by a day of long ago
        ("campaigns", "5", day, new, "DELETED"),
        ("campaigns", "6", day, new, "PAUSED"),
        ("campaigns", "7", seconds, None, "PAUSED"),
        ("campaigns", "8", day, None, "PAUSED"),
        ("creatives", "1", NOW, None, "ACTIVE"),
        ("creatives", "2", seconds, None, "ACTIVE"),
        ("creatives", "3", day, None, "DELETED"),
        ("creatives", "4", day, None, "ACTIVE"),
    ]
    for table, key, at, created, status in seen:
        states = {"status": status, "effective_status": status, "created_time": created}
        merge_objects(lake, table, [{"id": key, **states}], account, at, complete=False)

    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        found = opened.sql(
            "from changes select object_type, object_id, change, seen_at order by all"
        ).fetchall()

    assert [one for one in found if one[2] != "vanished"] == [
        ("campaign", "6", "appeared", day),
        ("campaign", "8", "appeared", day),
        ("creative", "4", "appeared", day),
    ]
