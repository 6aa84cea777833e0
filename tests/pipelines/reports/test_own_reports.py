"""Reports that are data, loaded from the sandbox, proven, published, compared row by row."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import Report
from pipelines.reports.rules import faults
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.verdicts import PROVEN, UNPROVABLE, UNPROVEN
from warehouse.schema.views.long_form import long_actions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox
    from warehouse.lake.records import Load


@pytest.fixture
def load_report(
    sandbox: Sandbox, client: GraphClient, lake: Lake, days: Sequence[date]
) -> Callable[[Report], Sequence[Load]]:
    """Load all days of all accounts."""

    def loading(report: Report) -> Sequence[Load]:
        store_accounts(lake, discover(client).rows, NOW)
        knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
        loader = Loader(client, knowing, accounts_in(lake), "run-1", now=lambda: NOW)
        wanted = [AccountDay(account_id, day) for account_id in sandbox.account_ids for day in days]
        outcomes = list(loader.load(report, wanted))
        assert [outcome.error for outcome in outcomes if outcome.error] == []
        return [outcome.load for outcome in outcomes if outcome.load]

    return loading


def defined(**keys: Any) -> Report:
    """A report as YAML would give it."""
    spec = ReportSpec(**keys)
    assert faults(spec) == []
    return Report.of(spec)


def published(lake: Lake, query: str) -> list[tuple[Any, ...]]:
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        return opened.sql(query).fetchall()


def truth(
    sandbox: Sandbox, days: Sequence[date], breakdowns: Sequence[str], level: str
) -> list[tuple[Any, ...]]:
    """(account, object, day, values of breakdowns, impressions, clicks, spend), summed by level."""
    sums: dict[tuple[Any, ...], list[Any]] = {}
    for account_id in sandbox.account_ids:
        for day in days:
            for row in sandbox.truth(account_id, day, breakdowns)["rows"]:
                key = (account_id, row[f"{level}_id"], day, *(row[name] for name in breakdowns))
                before = sums.get(key, [0, 0, Decimal()])
                told = (int(row["impressions"]), int(row["clicks"]), Decimal(row["spend"]))
                sums[key] = [a + b for a, b in zip(before, told, strict=True)]
    return sorted((*key, *values) for key, values in sums.items())


@pytest.mark.parametrize(
    ("name", "level", "breakdowns"),
    [("insights_daily", "ad", ()), ("insights_age_gender", "campaign", ("age", "gender"))],
)
def test_what_ships_is_proven_and_published_row_by_row(
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    load_report: Callable[[Report], Sequence[Load]],
    name: str,
    level: str,
    breakdowns: Sequence[str],
) -> None:
    loads = load_report(KNOWN.by_name[name])

    columns = ", ".join(("account_id", f"{level}_id", "date", *breakdowns))
    rows = published(lake, f"FROM {name} SELECT {columns}, impressions, clicks, spend ORDER BY ALL")
    assert {load.verdict for load in loads} == {PROVEN}
    assert len(loads) == len(sandbox.account_ids) * len(days)
    assert rows == truth(sandbox, days, breakdowns, level)


def test_the_day_has_what_the_hour_has_not(
    sandbox: Sandbox,
    lake: Lake,
    load: Callable[..., Any],
    load_report: Callable[[Report], Sequence[Load]],
    days: Sequence[date],
) -> None:
    load(days)
    load_report(KNOWN.by_name["insights_daily"])

    [(purchases, value, reach)] = published(
        lake,
        "SELECT sum(purchases), sum(purchase_value), (SELECT max(reach) FROM insights_daily)"
        " FROM campaign_daily",
    )

    rows = [r for i in sandbox.account_ids for d in days for r in sandbox.truth(i, d, ())["rows"]]
    sums = {
        field: sum(
            Decimal(entry["value"])
            for row in rows
            for entry in row.get(field, ())
            if entry["action_type"] == "omni_purchase"
        )
        for field in ("actions", "action_values")
    }
    assert (purchases, value) == (sums["actions"], sums["action_values"])
    assert purchases > 0
    assert reach > 0


def test_windows_stand_in_the_long_form_beside_the_value(
    lake: Lake, load_report: Callable[[Report], Sequence[Load]]
) -> None:
    load_report(KNOWN.by_name["insights_age_gender"])

    rows = published(
        lake,
        """SELECT sum(value), sum(click_7d), sum(view_1d), count(DISTINCT age)
        FROM insights_age_gender_actions
        WHERE (list_field, action_type) = ('actions', 'omni_purchase')""",
    )

    [(value, seven, one, ages)] = rows
    assert 0 < one < seven < value
    assert ages > 5


def test_each_placement_with_its_own_fields_and_ratios(
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    load_report: Callable[[Report], Sequence[Load]],
) -> None:
    placement = ("publisher_platform", "platform_position")
    report = defined(
        name="by_placement",
        level="adset",
        breakdowns=placement,
        fields=("cpc", "ctr", "results", "cost_per_action_type"),
    )

    loads = load_report(report)

    rows = published(
        lake,
        "SELECT account_id, adset_id, date, publisher_platform, platform_position, impressions,"
        " clicks, spend FROM by_placement ORDER BY ALL",
    )
    assert {load.verdict for load in loads} == {PROVEN}
    assert rows == truth(sandbox, days, placement, "adset")
    [(ratio, indicator, number)] = published(
        lake,
        "SELECT max(ctr - 100 * clicks / impressions), any_value(results ->> '$[0].indicator'),"
        " max((results ->> '$[0].values[0].value')::int) FROM by_placement WHERE clicks > 0",
    )
    assert ratio < Decimal("0.000001")
    assert indicator.startswith("actions:")
    assert number > 0


def test_action_breakdowns_are_keys_of_the_entries_and_the_rows_still_add_up(
    lake: Lake, load_report: Callable[[Report], Sequence[Load]]
) -> None:
    report = defined(
        name="by_target",
        level="campaign",
        fields=("actions", "action_values"),
        action_breakdowns=("action_target_id", "action_destination"),
        action_attribution_windows=("1d_click",),
    )

    loads = load_report(report)

    rows = published(
        lake,
        "SELECT DISTINCT action_type = 'purchase', action_target_id = account_id,"
        " action_destination FROM by_target_actions WHERE action_type IN ('purchase', 'like')",
    )
    assert {load.verdict for load in loads} == {PROVEN}
    assert {*rows} == {(False, True, "feed"), (True, None, None)}  # off Meta: without either
    view = long_actions(report.table)
    assert view
    assert view.grain[-2:] == ("action_target_id", "action_destination")


def test_an_empty_list_of_action_breakdowns_reaches_meta_and_entries_have_no_type(
    lake: Lake, load_report: Callable[[Report], Sequence[Load]], days: Sequence[date]
) -> None:
    report = defined(
        name="untyped", level="campaign", fields=("clicks", "actions"), action_breakdowns=()
    )

    loads = load_report(report)

    assert report.params(days[0], days[0])["action_breakdowns"] == []
    assert {load.verdict for load in loads} == {PROVEN}
    assert {(load.conversions, load.conversions_reason) for load in loads} == {
        (UNPROVABLE, "it asks for actions without their types")
    }
    [(entries, types, lists)] = published(
        lake,
        "SELECT count(*), count(action_type), (SELECT count(actions) FROM untyped)"
        " FROM untyped_actions",
    )
    assert (entries, types) == (lists, 0)
    assert entries > 0


def test_a_breakdown_that_wants_an_empty_list_is_loaded_with_one(
    lake: Lake, load_report: Callable[[Report], Sequence[Load]]
) -> None:
    report = defined(
        name="by_media",
        level="ad",
        breakdowns=("media_type",),
        fields=("clicks", "actions"),
        action_breakdowns=(),
    )

    loads = load_report(report)

    assert {load.verdict for load in loads} == {UNPROVABLE}
    assert {row[0] for row in published(lake, "SELECT media_type FROM by_media")} >= {"image"}


def test_what_the_catalogue_does_not_know_is_asked_for_kept_exactly_and_warned_of(
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    load_report: Callable[[Report], Sequence[Load]],
) -> None:
    keys: dict[str, Any] = {
        "name": "by_mood",
        "level": "campaign",
        "fields": ("sandbox_new_clicks", "sandbox_attention", "actions"),
        "breakdowns": ("sandbox_mood",),
        "action_attribution_windows": ("90d_click",),
    }
    assert {fault.value for fault in faults(ReportSpec(**keys))} == {
        *("sandbox_new_clicks", "sandbox_attention", "sandbox_mood", "90d_click")
    }

    loads = load_report(defined(**keys, allow_unknown=True))

    assert {(load.verdict, load.rejected, load.rejected_cells) for load in loads} == {
        (UNPROVABLE, 0, 0)
    }
    clicks = sum(row[4] for row in truth(sandbox, days, (), "campaign"))
    told = published(
        lake,
        "SELECT sum(clicks), sum((sandbox_new_clicks ->> '$')::int),"
        " sum((sandbox_attention ->> '$.seconds')::int) = sum(impressions),"
        " list_sort(list(DISTINCT sandbox_mood ->> '$')) FROM by_mood",
    )
    assert told == [(clicks, clicks, True, ["calm", "in a hurry", "unknown"])]
    [(late, value)] = published(lake, 'SELECT sum("90d_click"), sum(value) FROM by_mood_actions')
    assert 0 < late < value


@pytest.mark.parametrize(
    ("breakdown", "verdict", "feature"),
    [
        ("comscore_market", UNPROVABLE, "comscore"),
        ("impression_device", UNPROVABLE, "impression_device"),
    ],
)
def test_no_rows_by_what_an_account_must_switch_on_first_say_so(
    sandbox: Sandbox,
    load_report: Callable[[Report], Sequence[Load]],
    breakdown: str,
    verdict: str,
    feature: str,
) -> None:
    sandbox.use("not_opted_in")
    report = defined(name="opt_in", level="campaign", breakdowns=(breakdown,), fields=("clicks",))

    loads = load_report(report)

    told = f"the account has not enabled the feature {feature} (read on "
    delivered = [load for load in loads if "no rows, though" in load.reason]
    assert delivered
    assert all(load.verdict == verdict and told in load.reason for load in delivered)
    # On the days of the others nothing was delivered.
    assert all("feature" not in load.reason for load in loads if load not in delivered)
    assert len(delivered) < len(loads)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"fields": ("clicks", "no_such_field")}, "no_such_field"),
        ({"breakdowns": ("dma",), "fields": ("clicks",)}, "breakdowns[0] must be one of"),
        ({"breakdowns": ("age", "country"), "fields": ("clicks",)}, "Current combination of data"),
    ],
)
def test_what_meta_then_refuses_is_told_in_its_own_words(
    sandbox: Sandbox,
    client: GraphClient,
    lake: Lake,
    days: Sequence[date],
    keys: dict[str, Any],
    words: str,
) -> None:
    report = defined(name="hopeful", level="campaign", allow_unknown=True, **keys)
    store_accounts(lake, discover(client).rows, NOW)
    knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
    loader = Loader(client, knowing, accounts_in(lake), "run-1", now=lambda: NOW)

    outcomes = list(loader.load(report, [AccountDay(sandbox.account_ids[0], days[0])]))

    told = [str(one.error or (one.load and one.load.reason)) for one in outcomes]
    assert len(told) == 1
    assert words in told[0]


def test_a_report_that_adds_up_to_nothing_is_unprovable_and_not_red(
    sandbox: Sandbox,
    lake: Lake,
    days: Sequence[date],
    load_report: Callable[[Report], Sequence[Load]],
) -> None:
    report = defined(name="by_image", level="ad", breakdowns=("image_asset",), fields=("clicks",))

    loads = load_report(report)

    assert {load.verdict for load in loads} == {UNPROVABLE}
    [reason] = {load.reason for load in loads}
    assert reason == (
        "no totals to compare it with: the breakdown image_asset counts what showed several assets"
        " once per asset"
    )
    rows = published(
        lake, "SELECT verdict, count(*) FROM loads WHERE table_name = 'by_image' GROUP BY ALL"
    )
    assert rows == [(UNPROVABLE, len(sandbox.account_ids) * len(days))]


def test_rows_that_are_lost_make_an_own_report_unproven(
    sandbox: Sandbox, load_report: Callable[[Report], Sequence[Load]]
) -> None:
    sandbox.use("wrong_rows")

    loads = load_report(KNOWN.by_name["insights_daily"])

    assert UNPROVEN in {load.verdict for load in loads}
    assert any("short of the account's total" in load.reason for load in loads)
