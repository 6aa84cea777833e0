from datetime import UTC, date, datetime, timedelta

import pytest

from fbgraph.sandbox.insights.columns import major
from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.delivery import Delivery, Numbers, Table
from fbgraph.sandbox.world.nodes import HIDDEN
from fbgraph.sandbox.world.tree import World

WORLD = World(1, HOSTILE)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)


def account_day(index: int, day: date, now: datetime = NOW, seed: int = 1) -> dict[str, Table]:
    delivery = Delivery(seed)
    return {ad.id: delivery.table(ad, day, now) for ad in WORLD.accounts[index].under("ad")}


def count(tables: dict[str, Table]) -> int:
    return sum(map(len, tables.values()))


def test_numbers_follow_from_the_seed_alone() -> None:
    assert account_day(0, DAY) == account_day(0, DAY)
    assert account_day(0, DAY) != account_day(0, DAY, seed=2)


def test_a_finished_day_stays_as_it_was() -> None:
    later = NOW + timedelta(days=500)

    assert account_day(0, DAY) == account_day(0, DAY, later)


def test_today_grows_hour_by_hour_and_has_no_future() -> None:
    today = date(2026, 11, 23)
    moments = [NOW, NOW + timedelta(minutes=30), NOW + timedelta(hours=4)]

    seen = [account_day(0, today, now) for now in moments]

    impressions = [
        sum(n.impressions for table in tables.values() for n in table.values()) for tables in seen
    ]
    hours = [max(h for table in tables.values() for h in table if h is not None) for tables in seen]
    assert impressions == sorted(impressions)
    assert hours == [12, 13, 16]  # noon in UTC is 13:00 in Berlin: that hour has only begun
    assert count(account_day(0, today + timedelta(days=1))) == 0


@pytest.mark.parametrize("day", [date(2023, 11, 1), date(2025, 2, 28), date(2026, 11, 22)])
def test_any_day_of_37_months_has_delivery(day: date) -> None:
    assert 150 < count(account_day(0, day)) < 420


def test_the_quiet_account_has_days_without_any_row() -> None:
    days = [count(account_day(6, DAY - timedelta(days=n))) for n in range(60)]

    assert 0 in days
    assert any(days)


def test_archived_and_deleted_ads_delivered_on_recent_days() -> None:
    hidden = {ad.id for ad in WORLD.accounts[0].under("ad") if ad.effective_status in HIDDEN}
    days = [account_day(0, DAY - timedelta(days=n)) for n in range(30)]

    share = sum(len(table) for day in days for ad, table in day.items() if ad in hidden)

    assert 0.3 < share / sum(map(count, days)) < 0.45


def test_some_ads_come_with_one_row_without_hour_and_no_impressions() -> None:
    days = [account_day(0, DAY - timedelta(days=n)) for n in range(30)]
    late = [table for day in days for table in day.values() if None in table]

    assert late
    assert all(list(table) == [None] for table in late)
    assert all(table[None].impressions == table[None].spend == 0 for table in late)
    assert any(table[None].reactions for table in late)


def test_the_skipped_hour_is_absent_and_the_repeated_one_holds_two() -> None:
    spring = account_day(0, date(2026, 3, 29))
    autumn = account_day(0, date(2026, 10, 25))

    assert not any(2 in table for table in spring.values())
    assert all(len(table) <= 24 for table in autumn.values())
    # Over all ads the doubled hour stands out from its neighbours.
    of_hour = [sum(t[h].impressions for t in autumn.values() if h in t) for h in (1, 2, 3)]
    assert of_hour[1] > of_hour[2]


def test_hours_with_delivery_are_plausible() -> None:
    for table in account_day(2, DAY).values():
        for numbers in table.values():
            assert all(isinstance(n, int) and n >= 0 for n in numbers)
            assert numbers.link_clicks <= numbers.clicks <= numbers.impressions or None in table


@pytest.mark.parametrize(
    ("minor", "offset", "text"),
    [
        (217, 100, "2.17"),
        (1050, 100, "10.5"),
        (300, 100, "3"),
        (5, 100, "0.05"),
        (0, 100, "0"),
        (100, 1, "100"),
    ],
)
def test_money_is_exact_and_drops_zeros_at_its_end(minor: int, offset: int, text: str) -> None:
    assert major(minor, offset) == text


def test_numbers_start_at_nothing() -> None:
    assert not any(Numbers())
