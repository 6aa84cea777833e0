"""Ready reports: all are loaded once from the sandbox, and what their files, their list and their
page say of them is so.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from fbgraph import GraphClient
from fbgraph.catalog.fields import HOURLY_AUDIENCE
from fbgraph.sandbox import Sandbox
from pipelines.errors import ConfigError
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.project.ready_page import render_presets
from pipelines.project.ready_reports import PROOFS, chosen, ready_reports
from pipelines.project.ready_tables import ready_tables
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import READY
from pipelines.reports.tables import ASSET_BREAKDOWNS
from tests.clock import NOW, Clock
from tests.pipelines.conftest import DAYS
from warehouse.decode.actions import why_not
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish
from warehouse.schema.verdicts import PROVEN, UNPROVABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.reports.catalog import Report
    from warehouse.lake.records import Load
    from warehouse.published.opened import Warehouse

REPORTS = read_reports(sorted(READY.glob("*.yaml")))
NAMES = sorted(REPORTS.by_name.keys() - {"insights_hourly"})
PAGE = Path(__file__).parents[3] / "docs" / "presets.md"


@dataclass(frozen=True)
class Loaded:
    """Every ready report of one account and two days; `served`: what the sandbox returns for the
    same question, read page by page.
    """

    lake: Lake
    opened: Warehouse
    loads: Mapping[str, Sequence[Load]]
    served: Mapping[str, Sequence[dict[str, Any]]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    lake = Lake(tmp_path_factory.mktemp("ready") / "lake", catalog=REPORTS.catalog)
    clock = Clock()
    impatient: dict[str, Any] = {"sleep": clock.sleep, "clock": clock.seconds}
    with (
        Sandbox(now=lambda: NOW) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, **impatient) as client,
    ):
        store_accounts(lake, discover(client).rows, NOW)
        loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: NOW)
        account_id = sandbox.account_ids[0]
        loads, served = {}, {}
        for name in NAMES:
            report = REPORTS.by_name[name]
            wanted = [AccountDay(account_id, day) for day in whole(report)]
            outcomes = list(loader.load(report, wanted))
            assert [one.error for one in outcomes if one.error] == []
            loads[name] = [one.load for one in outcomes if one.load]
            served[name] = [
                dict(row)
                for day in whole(report)
                for row in client.account(account_id).insights(
                    **report.params(day, report.period.last(day))
                )
            ]
        publish(lake.root, catalog=REPORTS.catalog)
    with warehouse.open(lake.root) as opened:
        yield Loaded(lake, opened, loads, served)


def whole(report: Report) -> Sequence[date]:
    """The first days of the two newest days, weeks or months that are over."""
    period, [*_, last] = report.period, DAYS
    starts = period.starts(last - timedelta(days=100), last)
    return [first for first in starts if period.last(first) <= last][-2:]


def key_of(report: Report, row: dict[str, Any]) -> tuple[str, ...]:
    """What tells a row of the sandbox from others: object, day, values of breakdowns."""
    values = [row[name] for name in report.breakdowns]
    told = [one["id"] if isinstance(one, dict) else one for one in values]
    if HOURLY_AUDIENCE in report.breakdowns:
        told = [str(int(one[:2])) for one in told]
    return (row[f"{report.level}_id"], row["date_start"], *map(str, told))


def metrics_of(row: dict[str, Any]) -> list[Decimal | None]:
    names = ("impressions", "clicks", "spend", "reach")
    return [Decimal(row[name]) if name in row else None for name in names]


@pytest.mark.parametrize("name", NAMES)
def test_its_rows_are_those_of_the_sandbox(name: str, loaded: Loaded) -> None:
    report, served = REPORTS.by_name[name], loaded.served[name]
    rows = loaded.lake.read(name).to_pylist()
    columns = [
        f"{one}_id"
        if one in ASSET_BREAKDOWNS
        else one
        if one != HOURLY_AUDIENCE
        else "audience_hour"
        for one in report.breakdowns
    ]

    found = {
        (row[f"{report.level}_id"], str(row["date"]), *(str(row[c]) for c in columns)): [
            None if row.get(m) is None else Decimal(row[m])
            for m in ("impressions", "clicks", "spend", "reach")
        ]
        for row in rows
    }

    assert rows
    assert found == {key_of(report, row): metrics_of(row) for row in served}
    for column in (one for one in report.table.columns if one.kind == "actions"):
        entries = Counter(
            (row["date"].isoformat(), entry["action_type"], *(entry[key] for key in column.keys),
             *(entry[window] for window in ("value", *column.windows)))
            for row in rows
            for entry in row[column.name] or ()
        )  # fmt: skip
        assert entries == Counter(
            (row["date_start"], entry.get("action_type"), *(entry.get(key) for key in column.keys),
             *(Decimal(entry[w]) if w in entry else None for w in ("value", *column.windows)))
            for row in served
            for entry in row.get(column.name, ())
        )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_its_verdict_is_the_one_that_the_list_promises(name: str, loaded: Loaded) -> None:
    report, one = REPORTS.by_name[name], ready_reports()[name]
    loads = loaded.loads[name]

    assert len(loads) == 2
    for load in loads:
        assert load.verdict == (UNPROVABLE if one.proven == "no" else PROVEN), load.reason
        assert (load.rejected, load.rejected_cells, load.missing_fields) == (0, 0, ())
        assert load.verdict == PROVEN or "no totals to compare it with: the brea" in load.reason
        if one.proven == "all":
            assert load.conversions == PROVEN, load.conversions_reason
        else:
            assert load.conversions == UNPROVABLE
            assert load.conversions_reason == (report.no_sums or why_not(report.table))


@pytest.mark.parametrize("name", NAMES)
def test_the_query_to_begin_with_has_an_answer(name: str, loaded: Loaded) -> None:
    rows = loaded.opened.arrow(ready_reports()[name].query).to_pylist()

    assert rows
    assert all(value is not None for row in rows for value in list(row.values())[:3])


@pytest.mark.parametrize(
    ("view", "name"),
    [
        ("basic_ad_set", "insights_adset_daily"),
        ("basic_campaign", "insights_campaign_daily"),
        ("demographics_age", "insights_age_gender"),
        ("demographics_gender", "insights_age_gender"),
        ("demographics_age_and_gender", "insights_age_gender"),
        ("demographics_country", "insights_country"),
        ("demographics_region", "insights_region"),
        ("delivery_device", "insights_device_platform"),
        ("delivery_platform", "insights_publisher"),
    ],
)
def test_under_fivetrans_names_it_has_the_same_sums_once(
    view: str, name: str, loaded: Loaded
) -> None:
    [[*sums], [*ours]] = (
        loaded.opened.sql(f"FROM {table} SELECT sum(impressions), sum(spend)").fetchall()
        for table in (f"fivetran.{view}", name)
    )
    actions = loaded.opened.sql(
        f"SELECT (FROM fivetran.{view}_actions SELECT sum(value)), (FROM {name}_actions "
        "SELECT sum(value) WHERE list_field = 'actions')"
    ).fetchall()
    keys = loaded.opened.sql(
        f"FROM fivetran.{view} SELECT count(*) = count(DISTINCT _fivetran_id), "
        f"count(*) = count(_fivetran_synced), (FROM fivetran.{view}_actions SELECT count(*) = "
        "count(DISTINCT (_fivetran_id, index)))"
    ).fetchall()

    assert sums == ours
    assert actions[0][0] == actions[0][1] > 0
    assert keys == [(True, True, True)]


def test_each_is_valid_and_says_what_it_answers_costs_and_needs() -> None:
    ready = ready_reports()

    assert sorted(ready) == NAMES
    assert REPORTS.faults == []
    for one in ready.values():
        assert one.answers.endswith(".")
        assert "row" in one.costs
        assert "prove" in one.costs.lower()
        assert ("actions too" in one.costs) <= (one.proven == "all")
        assert one.proven in PROOFS
        assert one.elsewhere
        # What a person must enable is in the list and in the file; nothing else is.
        assert REPORTS.by_name[one.name].warnings == ()  # `add` and `check` have said them
        warnings = [line for line in REPORTS.warnings if f"/{one.name}.yaml:" in line]
        is_opt_in = any("must enable the feature" in line for line in warnings)
        assert is_opt_in == ("opt-in" in one.limits) == ("Opt-in" in one.costs)
    groups = [one.group for one in ready.values()]
    assert sum(a != b for a, b in pairwise(groups)) + 1 == len(set(groups))


def test_the_committed_page_has_each_and_does_not_lag_behind() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text == render_presets(), "write it anew: fbinsights docs --presets > docs/presets.md"
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [*ready_reports()]
    assert all(f"| [{name}](" in text for name in ready_tables())


def test_it_is_named_with_or_without_insights_and_near_names_are_said() -> None:
    known = ready_reports()

    assert chosen("country", known).name == chosen("insights_country", known).name
    with pytest.raises(
        ConfigError, match=r"Did you mean insights_placement or insights_placement_"
    ):
        chosen("placments", known)
    with pytest.raises(ConfigError, match=r"Did you mean insights_age_gender\?"):
        chosen("Age", known)
    with pytest.raises(ConfigError, match=r"There is no ready report 'x'\. `fbinsights add`"):
        chosen("x", known)
