"""A day of three accounts, looked at every hour: one runs away, one stops, one is over its budgets.
The sandbox, a lake, its published file and a webhook are real; the clock is the test's.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.cli.commands.refresh import run_one_tick
from pipelines.defs.alerts import send_alert
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.intraday.tick import run_tick
from pipelines.loading.loader import Loader
from pipelines.loading.objects import load_objects
from pipelines.loading.partitions import AccountDay
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from pipelines.reports.catalog import HOURLY_REPORT
from pipelines.settings import settings_of
from pipelines.watching.look import WatchResult, watch
from pipelines.watching.told import WATCHED_KEY, forget_watched, watched_of
from tests.clock import Clock
from tests.reports import KNOWN
from tests.webhook import Receiver
from warehouse.decode.hours import today_in
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A Tuesday without a sale.
BEFORE: Final = datetime(2026, 9, 14, 13, tzinfo=UTC)
NOON: Final = datetime(2026, 9, 15, 13, tzinfo=UTC)

DAY: Final = timedelta(days=1)

#: Places of the accounts in the listing: Berlin, Tokyo, Kolkata.
PLACES: Final = (0, 2, 3)
PLANTED: Final = (
    "stopped:2026-09-15T12@0",
    "over_budget:2026-09-15T02@2",
    "runaway:2026-09-15T15@3",
)


REPORTED: Final = "2026-09-15, reported as"
AHEAD: Final = "Kettle & Leaf India: far ahead"


class Office:
    """Loads and looks, as the schedule does."""

    def __init__(self, sandbox: Sandbox, folder: Path, clock: Clock, url: str) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.lake = Lake(folder / "lake", catalog=KNOWN.catalog)
        self.environ = {
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
            "FB_ALERT_WEBHOOK": url,
            "WAREHOUSE_URL": str(folder / "lake"),
            "FB_DIGEST_HOUR": "5",
        }
        self.settings = settings_of(self.environ)
        self.ids = [sandbox.account_ids[place] for place in PLACES]

    def client(self) -> GraphClient:
        patience = Clock()  # waits take none of the day's time
        return GraphClient(
            self.sandbox.token,
            base_url=self.sandbox.url,
            sleep=patience.sleep,
            clock=patience.seconds,
        )

    def prepare(self) -> None:
        """Four weeks, and the objects that have budgets."""
        with self.client() as client:
            store_accounts(self.lake, discover(client).rows, self.clock.now)
            accounts = accounts_in(self.lake)
            loader = Loader(client, self.lake, accounts, "run", now=self.clock)
            days = [
                AccountDay(one, today_in(accounts[one].timezone_name, self.clock.now) - back * DAY)
                for one in self.ids
                for back in range(1, 29)
            ]
            assert all(outcome.load for outcome in loader.load(HOURLY_REPORT, days))
            load_objects(client, self.lake, ["campaigns", "adsets"], self.ids, self.clock)

    def look(self) -> list[str]:
        """A tick, a publish, a look; the lines that are new."""
        with self.client() as client:
            session = Session(client, self.lake, str(uuid4()), self.clock, Recording())
            assert run_tick(session, self.ids).failed == {}
            publish(self.lake.root, catalog=KNOWN.catalog)
            result = watch(
                *(self.lake, self.settings, client, self.clock.now),
                send=lambda text: send_alert(self.settings, text),
                link="http://dagster.example/assets/intraday",
            )
        assert result.accounts == len(PLACES)
        return [_head(line) for line in result.news]

    def command(self) -> int:
        """The same by `fbinsights refresh --today --alert`; its exit code."""
        return run_one_tick(self.environ, KNOWN, self.ids, now=self.clock, is_watched=True)

    def usual(self, account_id: str, hours: range) -> float:
        """What the sandbox says was spent in these hours, on the median of 28 days."""
        days = [NOON.date() - back * DAY for back in range(1, 29)]
        rows = [self.sandbox.truth(account_id, day)["rows"] for day in days]
        return median(sum(float(r["spend"]) for r in day if r["hour"] in hours) for day in rows)

    def until(self, end: datetime, step: int) -> dict[int, list[str]]:
        """Look every `step` hours up to an instant; hour of UTC → what was new."""
        news = {}
        while self.clock.now < end:
            self.clock.now += timedelta(hours=step)
            if found := self.look():
                news[self.clock.now.hour] = found
        return news


def _head(line: str) -> str:
    """``Nordlicht DE: far ahead``"""
    who, _, says = line.partition(": ")
    return f"{who.partition(' (')[0]}: {says.partition('. ')[0].rstrip('.')}"


@pytest.fixture(scope="module")
def webhook() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, webhook: Receiver) -> Iterator[Office]:
    """Four weeks are loaded; it is 09:00 UTC of the day."""
    clock = Clock(BEFORE)
    with Sandbox(now=clock, scenarios=[*PLANTED, "settling"]) as sandbox:
        made = Office(sandbox, tmp_path_factory.mktemp("office"), clock, webhook.url)
        made.prepare()
        yield made


def test_each_anomaly_is_told_once_and_a_word_when_it_is_over(
    office: Office, webhook: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert office.until(NOON - timedelta(hours=4), 4) == {9: ["Nordlicht Japan: far ahead"]}
    assert office.until(NOON - timedelta(hours=2), 1) == {}
    office.clock.now += timedelta(hours=1)
    webhook.status = 500  # it is told with the next look
    assert office.command() == 1
    shown = capsys.readouterr()
    assert [_head(line) for line in shown.out.split("\n")[1:3]] == ["Nordlicht DE: stopped", AHEAD]
    assert "The alert was not delivered; the next --alert sends it again." in shown.err
    webhook.status = 200
    office.clock.now = NOON
    found = office.look()
    assert found == ["Nordlicht DE: stopped", "Nordlicht Japan: over budget", AHEAD]
    office.clock.now += timedelta(minutes=15)
    assert office.command() == 0
    going_on = "3 accounts looked at: nothing new; 4 alerts are not over."
    assert capsys.readouterr().out.split("\n")[1:] == [going_on, ""]

    office.sandbox.use(*PLANTED[1:], "settling")  # it spends again
    office.clock.now = NOON + timedelta(hours=1)
    assert office.command() == 0
    [_, line, *_] = capsys.readouterr().out.split("\n")
    assert _head(line) == "Nordlicht DE: spends again"
    assert webhook.texts[-1] == f"fbinsights: today\n{line}"
    office.clock.now = NOON + timedelta(hours=17)
    assert office.look() == [
        f"Nordlicht Japan: {REPORTED} {kind}, ended at 218,523 JPY, usually 52,042 JPY"
        for kind in ("far ahead", "over budget")
    ] + [
        f"Kettle & Leaf India: {REPORTED} far ahead, ended at 21,630.92 INR, usually 10,151.90 INR",
    ]
    assert office.look() == []


def test_a_look_without_news_says_what_was_looked_at() -> None:
    assert str(WatchResult(1)) == "1 account looked at: nothing unusual."
    assert str(WatchResult(12, too_new=2)) == (
        "12 accounts looked at: nothing unusual."
        " 2 accounts have fewer than 20 complete days to compare spend with."
    )


def test_a_message_has_figures_ads_and_what_to_do(office: Office, webhook: Receiver) -> None:
    [text] = [one for one in webhook.texts if "DE" in one and "Japan" in one and "today" in one]
    head, line, *_, link = text.split("\n")
    first, ads, last = re.split(r" Ads that usually spend then: |\. (?=Check)", line)

    assert head == "fbinsights: today"
    assert first == (
        "Nordlicht DE (act_200010000310042): stopped. Nothing was spent from 12:00 to 15:00 (the"
        f" account's clock), usually {office.usual(office.ids[0], range(12, 15)):.2f} EUR."
    )
    assert re.fullmatch(r"(.+ \([0-9.]+ EUR\)(, |$)){3}", ads)
    assert last == "Check for rejected ads, a failed payment, a spend cap or a schedule that ended."
    assert link == "http://dagster.example/assets/intraday"


@pytest.mark.usefixtures("office")
def test_a_digest_is_sent_once_a_day(webhook: Receiver) -> None:
    digests = [text for text in webhook.texts if text.startswith("fbinsights: yesterday")]

    assert len(digests) == 3
    assert digests[-1].split("\n")[1] == (
        "Nordlicht Japan (act_420010002853698): 218,523 JPY, usually 52,042 JPY (+320 %). Reported:"
        " far ahead, over budget"
    )


def test_what_is_kept_of_an_account_is_forgotten_with_it(office: Office) -> None:
    store, account_id = office.lake.store, office.ids[0]
    forget_watched(store, account_id)

    kept = watched_of(store)
    assert account_id not in kept.counters
    assert {one.account_id for one in kept.alerts} == {*office.ids[1:]}
    assert account_id not in json.dumps(json.loads(store.read(WATCHED_KEY)))
