import pytest

from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.advertisers.plan import Part
from fbgraph.sandbox.world.nodes import HIDDEN, WorldNode, effective_status
from fbgraph.sandbox.world.tree import World

WORLD = World(1, HOSTILE)


def parent_with(status: str) -> WorldNode:
    """Any campaign whose effective status is this."""
    campaigns = [c for account in WORLD.accounts for c in account.under("campaign")]
    return next(c for c in campaigns if c.effective_status == status)


@pytest.mark.parametrize(
    ("own", "review", "above", "expected"),
    [
        ("ACTIVE", None, "ACTIVE", "ACTIVE"),
        ("ACTIVE", None, "PAUSED", "CAMPAIGN_PAUSED"),
        ("PAUSED", None, "PAUSED", "PAUSED"),
        ("PAUSED", None, "ARCHIVED", "ARCHIVED"),
        ("ACTIVE", None, "DELETED", "DELETED"),
        ("DELETED", None, "ARCHIVED", "DELETED"),
        ("ARCHIVED", None, "ACTIVE", "ARCHIVED"),
        ("ACTIVE", "DISAPPROVED", "ACTIVE", "DISAPPROVED"),
        ("ACTIVE", "DISAPPROVED", "PAUSED", "CAMPAIGN_PAUSED"),
        ("ACTIVE", None, "WITH_ISSUES", "ACTIVE"),
    ],
)
def test_an_effective_status_follows_the_parents(
    own: str, review: str | None, above: str, expected: str
) -> None:
    assert effective_status(Part("ad", "x", own, review), parent_with(above)) == expected


def test_a_paused_ad_set_pauses_its_ads_by_name() -> None:
    adsets = [s for account in WORLD.accounts for s in account.under("adset")]
    paused = next(s for s in adsets if s.effective_status == "PAUSED")

    assert effective_status(Part("ad", "x"), paused) == "ADSET_PAUSED"


def test_every_account_has_campaigns_of_every_kind() -> None:
    for account in WORLD.accounts:
        statuses = {c.effective_status for c in account.under("campaign")}

        assert statuses >= {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "WITH_ISSUES", "IN_PROCESS"}


def test_currencies_and_zones_differ_and_one_zone_is_half_an_hour_off() -> None:
    accounts = {a.about.currency: a.about.zone for a in WORLD.accounts}

    assert (
        accounts.items()
        >= {
            "EUR": "Europe/Berlin",
            "USD": "America/Los_Angeles",
            "JPY": "Asia/Tokyo",
            "INR": "Asia/Kolkata",
            "AUD": "Australia/Adelaide",
        }.items()
    )


@pytest.mark.parametrize(
    "part", ["東京", "ü", "🚀", "ع", "ש", '"', "\\", "\t", "\n", "paging", "null"]
)
def test_names_hold_what_breaks_careless_readers(part: str) -> None:
    assert any(part in node.name for node in WORLD.nodes.values())


def test_ids_are_unique_digits_that_a_float_would_lose() -> None:
    ads = [ad.id for account in WORLD.accounts for ad in account.under("ad")]

    assert all(ad.isdecimal() for ad in ads)
    assert len(set(ads)) == len(ads)
    assert len({float(ad) for ad in ads}) < len(ads)


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    assert World(1, HOSTILE).nodes.keys() == WORLD.nodes.keys()
    assert World(2, HOSTILE).nodes.keys().isdisjoint(WORLD.nodes.keys())


def test_a_bigger_world_has_more_accounts_and_more_ads() -> None:
    big = World(1, HOSTILE, accounts=9, scale=3)

    assert len(big.accounts) == 9
    assert len({a.name for a in big.accounts}) == 9
    assert len(list(big.accounts[0].under("ad"))) == 3 * len(list(WORLD.accounts[0].under("ad")))


def test_an_account_answers_only_with_its_prefix_and_others_only_without() -> None:
    account = WORLD.accounts[0]
    ad = next(account.under("ad"))

    found = [WORLD.find(name) for name in (f"act_{account.id}", account.id, ad.id, f"act_{ad.id}")]

    assert found == [account, None, ad, None]


def test_archived_and_deleted_ads_are_a_good_part_of_the_world() -> None:
    ads = list(WORLD.accounts[0].under("ad"))

    assert 0.3 < sum(ad.effective_status in HIDDEN for ad in ads) / len(ads) < 0.6
