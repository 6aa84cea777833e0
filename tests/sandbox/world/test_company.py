"""The company is believable: budgets are spent, ads tire, sales show, funnels narrow."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox.insights.action_splits import entries
from fbgraph.sandbox.insights.assets import shown
from fbgraph.sandbox.insights.columns import COLUMNS, Measured
from fbgraph.sandbox.insights.splits import split, split_ad
from fbgraph.sandbox.objects.fields import field_value
from fbgraph.sandbox.world.creatives.content import content_of
from fbgraph.sandbox.world.delivery import NOTHING, Delivery, Numbers, add
from fbgraph.sandbox.world.rhythm import run_of
from fbgraph.sandbox.world.settings import viewers_of
from fbgraph.sandbox.world.tree import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fbgraph.sandbox.world.nodes import WorldNode

WORLD = World(1)
DELIVERY = Delivery(1)
NOW = datetime(2026, 11, 29, 21, tzinfo=UTC)
#: Full weeks, of which the last has Black Friday.
WEEKS = [[date(2026, 8, 24) + timedelta(days=7 * n + d) for d in range(7)] for n in range(14)]


def delivered(ads: Sequence[WorldNode], days: Sequence[date]) -> Numbers:
    rows = [n for ad in ads for day in days for n in DELIVERY.table(ad, day, NOW).values()]
    return add(rows) if rows else NOTHING


def ads_of(node: WorldNode) -> Sequence[WorldNode]:
    return list(node.under("ad"))


def campaign(account: int, words: str) -> WorldNode:
    campaigns = WORLD.accounts[account].under("campaign")
    return next(one for one in campaigns if words in one.name)


def test_names_are_those_of_a_company() -> None:
    names = [node.name for node in WORLD.nodes.values()]

    assert not [name for name in names if name != name.strip() or not name.isprintable()]
    assert "US | Retargeting | Sales | Catalog | Always-on" in names
    assert len({account.about.currency for account in WORLD.accounts}) == len(WORLD.accounts)


def test_every_kind_of_status_budget_and_learning_phase_is_there() -> None:
    nodes = WORLD.nodes.values()
    statuses = {node.effective_status for node in nodes}
    adsets = [node for node in nodes if node.level == "adset"]
    held = [node for node in nodes if node.level in {"campaign", "adset"}]
    learning = [field_value(adset, "learning_stage_info", NOW) for adset in adsets]

    assert statuses >= {
        *("ACTIVE", "PAUSED", "CAMPAIGN_PAUSED", "ARCHIVED", "DELETED", "DISAPPROVED"),
        *("PENDING_REVIEW", "WITH_ISSUES"),
    }
    for level in ("campaign", "adset"):
        for budget in ("daily_budget", "lifetime_budget"):
            assert any(n.level == level and field_value(n, budget, NOW) for n in held)
    assert {one["status"] for one in learning if one} == {"SUCCESS", "LEARNING", "FAIL"}
    assert len({repr(field_value(adset, "targeting", NOW)) for adset in adsets}) > 20


def test_nothing_is_older_than_what_it_is_in() -> None:
    for account in WORLD.accounts:
        for level in ("campaign", "adset", "ad"):
            for node in account.under(level):
                assert node.parent
                assert node.parent.created <= node.created < node.updated < NOW


def test_a_budget_is_held_by_the_campaign_or_by_its_ad_sets_and_about_spent() -> None:
    for account in WORLD.accounts[:6]:
        for one in account.under("campaign"):
            held = [one, *one.under("adset")]
            daily = [field_value(node, "daily_budget", NOW) for node in held]
            lifetime = [field_value(node, "lifetime_budget", NOW) for node in held]
            assert bool(any(daily)) != bool(any(lifetime))
            assert [
                node.level for node, d, t in zip(held, daily, lifetime, strict=True) if d or t
            ] in (
                ["campaign"],
                ["adset"] * (len(held) - 1),
            )
            if any(daily) and (spend := delivered(ads_of(one), WEEKS[9]).spend):
                assert 0.4 < spend / 7 / sum(int(budget or 0) for budget in daily) < 0.9


def test_no_budget_is_exceeded_and_what_is_left_is_about_what_was_not_spent() -> None:
    later = datetime(2026, 12, 2, 12, tzinfo=UTC)
    runs = 0
    for node in (one for one in WORLD.nodes.values() if one.level in {"campaign", "adset"}):
        daily, lifetime, left = (
            int(field_value(node, name, later) or 0)
            for name in ("daily_budget", "lifetime_budget", "budget_remaining")
        )
        if daily:
            assert all(delivered(ads_of(node), week).spend <= 7 * daily for week in WEEKS)
        for season in {ad.conduct.season for ad in ads_of(node) if ad.conduct} if lifetime else ():
            begins, days = run_of(season)
            run = [begins(2026) + timedelta(days=n) for n in range(days)]
            spend = delivered(ads_of(node), [day for day in run if day <= NOW.date()]).spend
            assert 0 < spend < lifetime
            assert abs(lifetime - spend - left) < lifetime / 4
            assert not delivered(ads_of(node), [run[0] - timedelta(days=1)]).spend
            runs += 1
    assert runs > len(WORLD.accounts)


def test_an_ad_tires_until_the_next_one_has_taken_over() -> None:
    adset = next(campaign(0, "Trail Backpack | Interests").under("adset"))
    by_ad = {ad: [delivered([ad], week) for week in WEEKS] for ad in ads_of(adset)}

    falling = 0
    for ad, weeks in by_ad.items():
        lives: list[list[tuple[float, float]]] = [[]]
        for week, numbers in zip(WEEKS, weeks, strict=True):
            if numbers.impressions < 3000:
                lives.append([])
                continue
            row = Measured(ad, week[0], week[-1], numbers, hourly=False, windows=(), partners=())
            frequency = float(COLUMNS["frequency"](row))
            lives[-1].append((numbers.clicks / numbers.impressions, frequency))
        for life in (one for one in lives if len(one) > 4):
            assert life[-1][0] < 0.8 * life[0][0]
            assert all(before[1] < after[1] for before, after in pairwise(life))
            falling += 1
    assert falling >= 2
    assert all(any(weeks[n].impressions for weeks in by_ad.values()) for n in range(len(WEEKS)))


def test_black_week_costs_more_and_brings_more() -> None:
    for account in WORLD.accounts[:6]:
        before, during = (delivered(ads_of(account), week) for week in (WEEKS[11], WEEKS[13]))

        assert 1.5 < during.spend / before.spend < 6
        assert during.purchase_value / before.purchase_value > 1.5
        assert during.spend / during.impressions > before.spend / before.impressions
    spring = [date(2026, 4, 9) + timedelta(days=n) for n in range(7)]
    assert delivered(ads_of(campaign(0, "Spring Sale")), spring).spend
    assert not delivered(ads_of(campaign(0, "Spring Sale")), WEEKS[0]).impressions


def test_a_funnel_narrows_and_pays_as_funnels_do() -> None:
    roas = {}
    for account in WORLD.accounts:
        for one in account.under("campaign"):
            n = delivered(ads_of(one), [day for week in WEEKS for day in week])
            if not n.impressions:
                continue
            steps = (n.impressions, n.clicks, n.link_clicks, n.landing_views)
            assert all(above > below for above, below in pairwise(steps))
            assert n.landing_views >= n.carts >= n.checkouts >= n.purchases
            assert 0.002 < n.clicks / n.impressions < 0.04
            assert bool(n.leads) == (one.purpose == "OUTCOME_LEADS") != bool(n.purchases)
            roas[one.name] = n.purchase_value / n.spend
    assert all(0.2 < value < 6 for value in roas.values() if value)
    assert mean(v for k, v in roas.items() if "| Retargeting" in k) > 1.5 * mean(
        v for k, v in roas.items() if "| Prospecting" in k
    )


def test_hours_and_weekdays_have_a_rhythm_of_their_own() -> None:
    by_hour: dict[int, int] = defaultdict(int)
    for ad in ads_of(WORLD.accounts[0]):
        for day in WEEKS[9]:
            for hour, numbers in DELIVERY.table(ad, day, NOW).items():
                by_hour[hour or 0] += numbers.impressions
    assert by_hour[20] > 2 * by_hour[7] > 4 * by_hour[3] > 0


@pytest.mark.parametrize("index", [0, 2, 6])
def test_a_finished_day_stays_and_today_only_grows(index: int) -> None:
    ads = ads_of(WORLD.accounts[index])
    today = NOW.astimezone(WORLD.accounts[index].zone).date()
    later = NOW + timedelta(days=400)

    for ad in ads:
        day = today - timedelta(days=3)
        assert DELIVERY.table(ad, day, NOW) == Delivery(1).table(ad, day, later)
        seen = [DELIVERY.table(ad, today, NOW + timedelta(minutes=m)) for m in (0, 20, 90)]
        grown = [sum(n.impressions for n in table.values()) for table in seen]
        assert grown == sorted(grown)


def test_reach_of_a_week_is_less_than_that_of_its_days_and_ads() -> None:
    account, week = WORLD.accounts[0], WEEKS[9]
    days = [delivered(ads_of(account), [day]) for day in week]

    def reach(node: WorldNode, *days: Numbers) -> int:
        stop = week[0] + timedelta(days=len(days) - 1)
        row = Measured(
            *(node, week[0], stop, add(days)), hourly=False, windows=(), partners=(), days=days
        )
        return int(COLUMNS["reach"](row))

    of_days = [reach(account, numbers) for numbers in days]
    of_ads = sum(reach(ad, delivered([ad], week[:1])) for ad in ads_of(account))
    assert max(of_days) < reach(account, *days) < 0.7 * sum(of_days)
    assert reach(account, days[0]) < of_ads


def test_ads_share_creatives_and_lead_to_landing_pages() -> None:
    account = WORLD.accounts[0]
    ads = ads_of(account)
    creatives = [WORLD.creative_of(ad) for ad in ads]

    assert len(set(creatives)) < len(ads)
    assert all(WORLD.find(one.id) is one for one in creatives)
    shown = [ad for ad, one in zip(ads, creatives, strict=True) if creatives.count(one) > 1]
    assert len({ad.line["campaign"] for ad in shown}) > 1
    own = f"9{shown[-1].id[1:]}"
    assert WORLD.find(own) is None or WORLD.creative_of(shown[-1]).id == own


def test_an_ad_is_seen_by_those_whom_its_ad_set_aims_at() -> None:
    campaigns = [campaign(0, "Interests"), campaign(6, "Weekend")]
    instagram, local = (ads_of(list(one.under("adset"))[-1])[0] for one in campaigns)
    day = [one for week in WEEKS for one in week]

    def seen(ad: WorldNode, *breakdowns: str) -> set[tuple[str, ...]]:
        return set(split(ad.id, delivered([ad], day), breakdowns, viewers_of(ad)))

    assert {gender for _, gender in seen(instagram, "age", "gender")} <= {"female", "unknown"}
    assert {age for age, _ in seen(instagram, "age", "gender")} == {
        *("25-34", "35-44", "45-54", "Unknown")
    }
    assert seen(instagram, "publisher_platform") == {("instagram",)}
    assert seen(local, "country") <= {("NZ",), ("unknown",)}
    countries = {country for country, _ in seen(instagram, "country", "region")}
    assert countries - {"unknown"} == {"DE", "AT"}


def test_breakdowns_by_asset_and_card_show_what_the_creatives_of_the_ads_hold() -> None:
    ads = ads_of(WORLD.accounts[0])
    feed = next(ad for ad in ads if ad.concept and ad.concept.form == "feed")
    carousel = next(ad for ad in ads if ad.concept and ad.concept.form == "carousel")
    content, whole = content_of(WORLD.creative_of(feed)), Numbers(*[1000] * len(NOTHING))

    def told(name: str, key: str) -> set[str]:
        parts = split_ad(feed, whole, (name,))
        assert sum(part.impressions for part in parts.values()) == whole.impressions
        return {shown(name, value, feed)[key] for (value,) in parts}  # type: ignore[index]

    assert told("image_asset", "hash") == {one.hash for one in content.pictures}
    assert told("title_asset", "text") == {*content.titles}
    assert told("body_asset", "text") == {*content.bodies}
    assert told("link_url_asset", "website_url") == {content.link}
    assert told("call_to_action_asset", "name") == {content.call_to_action}
    assert told("video_asset", "video_id") == {one.id for one in content.videos}
    assert split_ad(carousel, whole, ("image_asset",)) == {}

    def cards(ad: WorldNode) -> list[str | None]:
        name = "action_carousel_card_name"
        return [one.keys.get(name) for one in entries("link_click", [name], ad, on_meta=True)]

    assert cards(carousel) == [card.title for card in content_of(carousel).cards]
    assert cards(feed) == [None]


def test_a_bigger_company_has_more_ads_that_do_as_much_each() -> None:
    big = World(1, accounts=9, scale=3)
    ads, few = ads_of(big.accounts[1]), ads_of(WORLD.accounts[1])

    assert len({account.name for account in big.accounts}) == 9
    assert len(ads) == 3 * len(few)
    spent = [delivered(some, WEEKS[9]).spend for some in (ads, few)]
    assert 2 < spent[0] / spent[1] < 4
