"""Ready reports: each is valid as it is, and what it says of its proof is so in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ConfigError
from pipelines.loading.listings import accounts_in, discover, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.project.ready_reports import READY, chosen, ready_reports
from pipelines.reports.catalog import read_reports
from tests.clock import NOW
from warehouse.lake.partitions import Lake
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from fbgraph import GraphClient
    from fbgraph.sandbox import Sandbox

FILES = sorted(READY.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_valid_and_says_what_it_answers_and_costs(path: Path) -> None:
    reports = read_reports([path])
    one = ready_reports()[path.stem]

    assert [*reports.problems] == []
    assert path.stem in reports.by_name
    assert one.answers.endswith(".")
    assert "row" in one.costs
    assert "prove" in one.costs.lower()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_loads_from_the_sandbox_and_is_proven(
    path: Path, sandbox: Sandbox, client: GraphClient, lake: Lake, days: Sequence[date]
) -> None:
    report = read_reports([path]).by_name[path.stem]
    store_accounts(lake, discover(client).rows, NOW)
    knowing = Lake(lake.root, catalog=lake.catalog.with_table(report.table))
    wanted = [AccountDay(account_id, days[-1]) for account_id in sandbox.account_ids]

    loader = Loader(client, knowing, accounts_in(lake), "run-1", now=lambda: NOW)
    outcomes = list(loader.load(report, wanted))

    assert [one.error for one in outcomes if one.error] == []
    loads = [one.load for one in outcomes if one.load]
    assert len(loads) == len(wanted)
    assert {load.verdict for load in loads} == {PROVEN}
    assert sum(load.rows for load in loads) > 0
    says_actions_too = "actions too" in ready_reports()[path.stem].costs
    assert not says_actions_too or {load.conversions for load in loads} == {PROVEN}


def test_it_is_named_with_or_without_insights_and_near_names_are_said() -> None:
    known = ready_reports()

    assert chosen("country", known).name == chosen("insights_country", known).name
    with pytest.raises(ConfigError, match=r"Did you mean insights_placement\?"):
        chosen("placments", known)
    with pytest.raises(ConfigError, match=r"Did you mean insights_age_gender\?"):
        chosen("Age", known)
    with pytest.raises(ConfigError, match=r"There is no ready report 'x'\. `fbinsights add`"):
        chosen("x", known)
