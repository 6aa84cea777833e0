"""Roll-ups: sums of what is additive, ratios of sums, rows without an hour apart."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

import warehouse
from fbgraph.catalog.fields import ATTRIBUTION_WINDOWS
from tests.reports import KNOWN
from warehouse.decode.pages import Account, decode
from warehouse.published.publish import publish
from warehouse.schema.table import Column, Table, View
from warehouse.schema.tables import TABLES
from warehouse.schema.views.listed import VIEWS
from warehouse.schema.views.long_form import flat, long_actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from warehouse.lake.partitions import Lake

DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def loaded(make_days: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Six rows: two campaigns, hours 0, 1 and 2; the sixth has neither hour nor traffic."""
    days = make_days(tmp_path_factory.mktemp("lake"))
    days.put(6, verdict="provisional", is_over=False, last_whole_hour=1, day_gone=2 / 24)
    days.lake.replace("insights_daily", daily(), account_id="11", date=DAY)
    days.lake.replace("campaigns_history", renamed(), account_id="11")
    creatives = [
        {"account_id": "11", "creative_id": "1", "asset_feed_spec": '{"titles":[{"text":"T"}]}'}
    ]
    schema = TABLES["creatives"].arrow_schema
    days.lake.replace("creatives", pa.Table.from_pylist(creatives, schema=schema), account_id="11")
    publish(days.lake.root)
    lake: Lake = days.lake
    return lake


def renamed() -> pa.Table:
    """Two states of campaign 20, which got another name."""
    first, second = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    rows = [
        {"campaign_id": "20", "account_id": "11", "campaign_name": name, "valid_from": at}
        for name, at in (("old", first), ("new", second))
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["campaigns_history"].arrow_schema)


def daily() -> pa.Table:
    """The day of campaign 20: four purchases worth 80, told under two types of action."""

    def entries(value: str) -> list[dict[str, str]]:
        kinds = ("purchase", "omni_purchase")
        return [{"action_type": k, "value": value, "7d_click": "1"} for k in kinds]

    row = {
        "account_id": "11",
        "campaign_id": "20",
        "ad_id": "30",
        "spend": "6.04",
        "reach": "900",
        "frequency": "1.2345678",
        "actions": entries("4"),
        "action_values": entries("80.00"),
        "date_start": str(DAY),
        "date_stop": str(DAY),
    }
    body = json.dumps({"data": [row]}).encode()
    account = Account("11", "Europe/Berlin", "EUR")
    return decode(TABLES["insights_daily"], [body], account, [DAY]).rows


def ask(lake: Lake, query: str) -> list[Any]:
    with warehouse.open(lake.root) as opened:
        return opened.sql(query).fetchall()


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda v: v.name)
def test_a_view_has_the_columns_it_says_and_one_row_per_grain(view: View, loaded: Lake) -> None:
    with warehouse.open(loaded.root) as opened:
        found = opened.arrow(f"FROM {view.name}")
        distinct = opened.sql(f"FROM {view.name} SELECT DISTINCT {', '.join(view.grain)}")
        assert len(distinct.fetchall()) == found.num_rows > 0

    assert found.schema.names == [column.name for column in view.columns]


def test_the_older_duckdb_of_the_shell_reads_every_view_and_table(loaded: Lake) -> None:
    with warehouse.open(loaded.root) as opened:
        path = opened.path
        views = opened.sql(
            "SELECT concat(schema_name, '.', view_name) FROM duckdb_views() WHERE NOT internal"
            " UNION ALL SELECT concat(schema_name, '.', table_name) FROM duckdb_tables()"
        ).fetchall()
    shell = Path(sys.executable).with_name("duckdb")
    # A view is bound as a whole; rows are read too, for functions fail on values alone.
    asked = "; ".join(f"CREATE TEMP TABLE t{n} AS FROM {view}" for n, (view,) in enumerate(views))
    done = subprocess.run(  # noqa: S603  # DuckDB's own shell
        [shell, "-readonly", path, "-c", asked], capture_output=True, text=True, check=False
    )

    assert len(views) > len(VIEWS) + len(TABLES)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_day_is_the_sum_of_its_rows(loaded: Lake) -> None:
    [row] = ask(loaded, "FROM account_daily SELECT impressions, clicks, spend, account_currency")

    assert row == (1000, 10, Decimal("10.05"), "EUR")


def test_ratios_are_made_from_sums(loaded: Lake) -> None:
    [(ctr, cpc, cpm)] = ask(loaded, "FROM account_daily SELECT ctr, cpc, cpm")

    assert (ctr, cpc, cpm) == pytest.approx((1.0, 1.005, 10.05))


def test_a_ratio_to_nothing_is_null(loaded: Lake) -> None:
    rows = ask(loaded, "FROM campaign_hourly SELECT ctr, cpc, cpm WHERE impressions = 0")

    assert rows == [(None, None, None)] * 2  # the first row, and the one without an hour


def test_rows_without_an_hour_stay_apart_from_hour_0_and_count_in_the_day(loaded: Lake) -> None:
    hours = ask(loaded, "FROM account_hourly SELECT hour, hour_start_utc IS NULL ORDER BY hour")
    campaigns = ask(loaded, "FROM campaign_daily SELECT campaign_id, clicks ORDER BY ALL")

    assert hours == [(0, False), (1, False), (2, False), (None, True)]
    assert campaigns == [("20", 6), ("21", 4)]


def test_campaigns_carry_their_name(loaded: Lake) -> None:
    rows = ask(loaded, "FROM campaign_daily SELECT campaign_name ORDER BY ALL")

    assert rows == [("Campaign 0",), ("Campaign 1",)]


def test_actions_in_long_form_have_one_row_per_type(loaded: Lake) -> None:
    rows = ask(
        loaded,
        "FROM insights_hourly_actions SELECT list_field, action_type, count(*), sum(value) "
        "GROUP BY ALL ORDER BY ALL",
    )

    assert rows == [
        ("actions", "like", 6, Decimal(15)),
        ("actions", "link_click", 6, Decimal(15)),
    ]


def test_purchases_come_from_insights_by_the_day_each_once(loaded: Lake) -> None:
    rows = ask(
        loaded,
        "FROM campaign_daily SELECT campaign_id, clicks, purchases, purchase_value, cpa, roas "
        "ORDER BY ALL",
    )

    assert rows == [
        ("20", 6, Decimal(4), Decimal(80), 1.51, pytest.approx(80 / 6.04)),
        ("21", 4, None, None, None, None),
    ]


def test_a_quotient_keeps_all_its_digits(loaded: Lake) -> None:
    rows = ask(loaded, "FROM insights_daily SELECT reach, frequency")

    assert rows == [(900, Decimal("1.234567800000"))]


def test_attribution_windows_stand_beside_the_value(loaded: Lake) -> None:
    rows = ask(
        loaded,
        """FROM insights_daily_actions SELECT list_field, value, "7d_click", click_7d, view_1d
        WHERE action_type = 'omni_purchase' ORDER BY ALL""",
    )

    assert rows == [
        ("action_values", Decimal(80), Decimal(1), Decimal(1), None),
        ("actions", Decimal(4), Decimal(1), Decimal(1), None),
    ]


def test_an_empty_lake_has_empty_views(lake: Lake) -> None:
    publish(lake.root)

    for view in VIEWS:
        assert ask(lake, f"FROM {view}") == []


def test_accounts_have_their_name_in_every_view(loaded: Lake) -> None:
    account = {"account_id": "11", "account_name": "Elf", "account_currency": "EUR"}
    schema = TABLES["accounts"].arrow_schema
    loaded.replace("accounts", pa.Table.from_pylist([account], schema=schema))
    publish(loaded.root)

    for view in VIEWS.keys() - {"calendar"}:
        assert ask(loaded, f"FROM {view} SELECT DISTINCT account_name") == [("Elf",)]


@pytest.mark.parametrize(
    ("window", "name"),
    [
        *(("7d_click", "click_7d"), ("1d_view", "view_1d"), ("1d_ev", "ev_1d")),
        *(("28d_view_first_conversion", "view_first_conversion_28d"), ("skan_click", "skan_click")),
        *(("default", "window_default"), ("1h_click", "click_1h"), ("90d", "window_90d")),
    ],
)
def test_a_window_is_named_by_what_it_counts_first(window: str, name: str) -> None:
    assert flat(window) == name


def test_no_name_but_the_older_ones_of_windows_needs_quotes() -> None:
    older = {window for window in ATTRIBUTION_WINDOWS if flat(window) != window}
    catalog = KNOWN.catalog
    every = Table("every", ("ad_id",), "Every window there is.", (
        Column("ad_id", "id", "Ad"),
        Column("actions", "actions", "Actions", windows=tuple(sorted(ATTRIBUTION_WINDOWS))),
    ))  # fmt: skip
    views = [*catalog.views.values(), long_actions(every)]
    names = {c.name for one in (*catalog.tables.values(), *views) if one for c in one.columns}

    assert {"click_7d", "view_1d", "ev_1d", "window_default"} <= names
    for name in sorted(names - older):
        duckdb.sql(f'SELECT {name} FROM (SELECT 1 AS "{name}")')  # noqa: S608  ours


def test_the_calendar_has_every_date_between_the_loads_and_is_right_across_years(
    make_days: Any, tmp_path: Path
) -> None:
    made = make_days(tmp_path / "lake")
    for day in (date(2024, 12, 28), date(2027, 1, 4)):
        made.put(1, day=day)
    publish(made.lake.root)

    rows = ask(
        made.lake,
        "FROM calendar SELECT date, year, quarter, month, month_start, iso_year, iso_week, "
        "week_start, weekday, weekday_number ORDER BY date",
    )

    assert len(rows) == (date(2027, 1, 4) - date(2024, 12, 28)).days + 1
    for day, *of_it in rows:
        year, week, weekday = day.isocalendar()
        monday = date.fromisocalendar(year, week, 1)
        assert of_it == [
            *(day.year, (day.month + 2) // 3, day.month, day.replace(day=1)),
            *(year, week, monday, f"{day:%A}", weekday),
        ]
