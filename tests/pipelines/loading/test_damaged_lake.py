"""Whatever file of a lake goes bad, and however: it costs itself, the message names it and what
mends it, that mends it, and everything else is loaded and published.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pytest

from fbgraph import GraphClient
from fbgraph.reports.handler import Checkpoint
from fbgraph.sandbox import Sandbox
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.refreshing.changes import find_changes, reload
from pipelines.loading.session import Session
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.state.pending_runs import StoredRuns
from tests.clock import NOW, Clock
from tests.pipelines.conftest import DAYS
from tests.pipelines.loading.spoiling import (
    CLOSED,
    DANGLING,
    LOST,
    SPOILED,
    each_in_turn,
    give_away,
    nobody,
    put_back,
    spoil,
)
from tests.reports import KNOWN, only
from warehouse.decode.rows import Reject
from warehouse.errors import WarehouseError
from warehouse.lake.defects.damage import reload_command
from warehouse.lake.defects.failures import failure_key
from warehouse.lake.identity import KEY
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.storage.state import save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OWN_REPORT: Final = KNOWN.by_name["insights_age_gender"]
REPORTS: Final = only(HOURLY_REPORT, OWN_REPORT)

#: What must be published after every damage and its repair as it was before.
NUMBERS: Final = """
    WITH numbers AS (
        FROM insights_hourly SELECT 'hourly' AS of, account_id, date, spend
        UNION ALL FROM insights_age_gender SELECT 'own', account_id, date, spend
        UNION ALL FROM control_daily SELECT 'totals', account_id, date, spend
    ) FROM numbers SELECT of, account_id, date::TEXT, count(*), sum(spend)
    WHERE date IN ('2026-11-21', '2026-11-22') GROUP BY ALL
    UNION ALL FROM accounts SELECT 'accounts', account_id, account_name, 1, 0
    UNION ALL FROM accounts_history SELECT 'their past', account_id, account_name, 1, 0
    UNION ALL FROM campaigns SELECT 'campaigns', account_id, campaign_id, 1, 0
    UNION ALL FROM campaigns_history SELECT 'their past', account_id, campaign_id, 1, 0
    ORDER BY ALL
"""


@dataclass
class Scene:
    """Two accounts, two days, in a lake that anybody may enter."""

    sandbox: Sandbox
    root: Path
    pristine: Path
    keys: dict[str, str] = field(default_factory=dict)
    numbers: list[Any] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        return Lake(self.root, lambda: NOW, catalog=REPORTS.catalog)

    @property
    def ids(self) -> Sequence[str]:
        return self.sandbox.account_ids[:2]

    def published(self) -> list[Any]:
        with duckdb.connect((self.root / "warehouse.duckdb").resolve(), read_only=True) as opened:
            return opened.execute(NUMBERS).fetchall()

    def obey(self, command: str) -> list[str]:
        """Do what a person does who types this, as the command line does; what it said failed."""
        name, *words = shlex.split(command)[1:]
        options = dict(zip(words[::2], words[1::2], strict=True))
        accounts = [options["--account"].removeprefix("act_")] if "--account" in options else []
        reports = [options["--report"]] if "--report" in options else list(REPORTS.by_name)
        if name == "refresh":
            return self.refresh(accounts)
        since = date.fromisoformat(options["--since"])
        assert (name, options["--until"]) == ("backfill", str(since))
        return self.load([AccountDay(accounts[0], since)], reports)

    def _session(self, client: GraphClient) -> Session:
        return Session(client, self.lake, "run-2", lambda: NOW, Recording())

    def _client(self) -> GraphClient:
        clock = Clock()
        return GraphClient(
            self.sandbox.token, base_url=self.sandbox.url, sleep=clock.sleep, clock=clock.seconds
        )

    def load(self, account_days: Sequence[AccountDay], reports: Sequence[str]) -> list[str]:
        """A backfill: each step goes on whatever the one before said."""
        said: list[str] = []
        with self._client() as client:
            session, found = self._session(client), discover(client, self.ids)
            steps: list[Any] = [
                lambda: session.load_accounts(found) and [],
                lambda: session.list_objects([*{one.account_id: 0 for one in account_days}]),
                *(
                    lambda one=one: session.load(REPORTS.by_name[one], account_days).outcomes
                    for one in reports
                ),
            ]
            for step in steps:
                try:
                    said += [outcome.error for outcome in step() if outcome.error]
                except (WarehouseError, ConfigError, OSError) as error:
                    said.append(str(error))
        return said

    def refresh(self, account_ids: Sequence[str]) -> list[str]:
        with self._client() as client:
            session, found = self._session(client), discover(client, self.ids)
            keys = [f"act_{one}" for one in account_ids]
            changed = find_changes(session, REPORTS, found, keys, NOW, full=False)
            reload(session, REPORTS.by_name, changed)
            return [*changed.failed.values()]


@pytest.fixture(scope="module")
def made() -> Iterator[Scene]:
    with (
        Sandbox(world="hostile", now=lambda: NOW) as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        top = Path(folder)
        top.chmod(0o755)
        scene = Scene(sandbox, top / "lake", top / "pristine")
        cells = [AccountDay(one, day) for one in scene.ids for day in DAYS[-2:]]
        assert scene.load(cells, list(REPORTS.by_name)) == []
        lake, (first, _) = scene.lake, scene.ids
        load = lake.load_of("insights_hourly", first, DAYS[-1])
        assert load is not None
        cell = Reject(1, 1, "ctr", "x", "not a number", '{"ad_id": "1"}', DAYS[-1], "cell")
        lake.write_rejects(load, [cell])
        old = date(2026, 10, 1)
        failure = failure_key("insights_age_gender", first, old)
        save(lake.store, failure, {"error": "Meta said no", "at": NOW.isoformat()})
        pending, checkpoint = StoredRuns(lake.store, "insights_hourly"), Checkpoint("1", 0.0, False)  # noqa: FBT003
        pending.save(first, HOURLY_REPORT.params(old, old), checkpoint)
        save(lake.store, ".limits.json", [])
        assert not publish(lake.root, catalog=REPORTS.catalog).left_out
        scene.numbers = scene.published()
        scene.root.rename(scene.pristine)
        yield scene


@pytest.fixture
def scene(made: Scene) -> Scene:
    put_back(made.pristine, made.root)
    give_away(made.root.parent)
    return made


#: Files of data, and the table, the account (by its number) and the day that they are of.
DATA: Final[dict[str, tuple[str, int | None, date | None]]] = {
    "a report": ("insights_hourly", 0, DAYS[-1]),
    "an own report": ("insights_age_gender", 0, DAYS[-2]),
    "totals": ("control_daily", 0, DAYS[-1]),
    "accounts": ("accounts", None, None),
    "their history": ("accounts_history", None, None),
    "objects": ("campaigns", 0, None),
    "history of objects": ("campaigns_history", 0, None),
}

#: Files that are written again by themselves, by the next load or publish: what finds them.
STATE: Final = {
    "the last change": ".changes.json",
    "where history begins": ".history.json",
    "limits": ".limits.json",
    "a definition": ".tables/insights_age_gender.json",
    "a failure": ".failed/*/*/*.json",
    "a pending run": ".runs/*/*/*.json",
    "the link": "warehouse.duckdb",
    "the snapshot": ".snapshots/0*/warehouse.duckdb",
    "the record of the publish": ".snapshots/.published.json",
    "the master": ".snapshots/.master/warehouse.duckdb",
    "the stamp of the master": ".snapshots/.master/stamp",
}


def others_load(scene: Scene) -> list[str]:
    """What fails of another account-day."""
    return scene.load([AccountDay(scene.ids[1], DAYS[-2])], ["insights_hourly"])


def require_all(scene: Scene) -> None:
    """Everything is published, and as it was."""
    assert publish(scene.root, catalog=REPORTS.catalog).left_out == {}
    assert scene.published() == scene.numbers


@pytest.mark.parametrize(("kind", "way"), each_in_turn(DATA, LOST))
def test_a_file_of_data_that_is_lost_is_named_and_loaded_again(
    kind: str, way: str, scene: Scene
) -> None:
    table, n, day = DATA[kind]
    key = scene.lake.key(table, None if n is None else scene.ids[n], day)
    spoil(scene.root / key, way)

    with nobody():
        published = publish(scene.root, catalog=REPORTS.catalog)
        kept = scene.published()
        other = others_load(scene)
        said = [failed for command in published.commands for failed in scene.obey(command)]

        [(path, why)] = published.left_out.items()
        assert path == str(scene.root / key)
        assert why.startswith(f"{path} is damaged: ")
        assert [f"`{command}`" in why for command in published.commands] == [True]
        assert (kept, other, said) == (scene.numbers, [], [])
        require_all(scene)


@pytest.mark.parametrize(("kind", "way"), each_in_turn(DATA, [CLOSED, DANGLING]))
def test_a_file_of_data_that_may_be_whole_is_named_and_stays(
    kind: str, way: str, scene: Scene
) -> None:
    table, n, day = DATA[kind]
    account = None if n is None else scene.ids[n]
    path = scene.root / scene.lake.key(table, account, day)
    content = path.read_bytes()
    spoil(path, way)

    with nobody():
        published = publish(scene.root, catalog=REPORTS.catalog)
        kept = scene.published()
        other = others_load(scene)
        own = scene.obey(reload_command(table, account or "", day)) if n is not None else other

        [(named, why)] = published.left_out.items()
        assert named == str(path)
        assert ("Fix its permissions" if way == CLOSED else "Restore it") in why
        assert (kept, published.commands) == (scene.numbers, ())
        assert own
        assert all(f"{path} cannot be read: " in failed for failed in own)
        # Without accounts nobody knows whose day a day is.
        assert [*filter(None, other)] == (own if n is None else [])
        assert path.is_symlink() == (way == DANGLING)
        if way == DANGLING:
            path.unlink()
            path.write_bytes(content)
        path.chmod(0o644)
        assert path.read_bytes() == content
        require_all(scene)


@pytest.mark.parametrize(("kind", "way"), each_in_turn(STATE, SPOILED))
def test_a_file_that_can_be_written_again_costs_nothing(kind: str, way: str, scene: Scene) -> None:
    [path] = scene.root.glob(STATE[kind])
    spoil(path, way)

    with nobody():
        published = publish(scene.root, catalog=REPORTS.catalog)
        kept = scene.published()
        other = others_load(scene)

        assert (published.left_out, kept, other) == ({}, scene.numbers, [])
        require_all(scene)


@pytest.mark.parametrize("way", SPOILED)
def test_a_file_of_rejects_is_named_and_moved_away(way: str, scene: Scene) -> None:
    [path] = scene.root.glob("rejects/*/*/*/*.parquet")
    spoil(path, way)

    with nobody():
        published = publish(scene.root, catalog=REPORTS.catalog)
        kept = scene.published()
        other = others_load(scene)

        [(named, why)] = published.left_out.items()
        assert (named, kept, other) == (str(path), scene.numbers, [])
        advice = {CLOSED: "Fix its permissions", DANGLING: "Restore it"}
        assert advice.get(way, "ove it out of the warehouse") in why
        path.rename(scene.root.parent / f"moved away, {way}")
        require_all(scene)


@pytest.mark.parametrize("way", SPOILED)
def test_without_its_source_nothing_gets_into_a_lake_until_somebody_looks(
    way: str, scene: Scene
) -> None:
    path = scene.root / KEY
    content = json.loads(path.read_text())
    spoil(path, way)

    with nobody():
        published = publish(scene.root, catalog=REPORTS.catalog)
        kept = scene.published()
        with scene._client() as client, pytest.raises((ConfigError, OSError)) as refused:  # noqa: SLF001
            scene._session(client).load_accounts(discover(client, scene.ids))  # noqa: SLF001

        assert (published.left_out, kept) == ({}, scene.numbers)
        assert str(path) in str(refused.value)
        advice = {CLOSED: "Fix its permissions", DANGLING: "Restore it"}
        assert advice.get(way, "remove the file and run the same command again") in str(
            refused.value
        )
        path.rmdir() if way == "a folder" else path.unlink()
        assert others_load(scene) == []
        assert json.loads(path.read_text())["graph"] == content["graph"]
        require_all(scene)


def test_a_refresh_reloads_a_damaged_day_though_it_is_the_oldest_of_all(scene: Scene) -> None:
    account_day = AccountDay(scene.ids[0], date(2026, 11, 10))
    assert scene.load([account_day], ["insights_hourly"]) == []
    spoil(scene.root / scene.lake.key("insights_hourly", *account_day), "truncated")
    assert len(publish(scene.root, catalog=REPORTS.catalog).commands) == 1

    assert scene.refresh([account_day.account_id]) == []

    require_all(scene)
    assert scene.lake.load_of("insights_hourly", *account_day) is not None
