"""Features that an account must enable: whether that explains a day without rows, in words, and
what becomes of the day.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.features import Features, FeatureSettings, explained
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from pipelines.reports.catalog import Report
from pipelines.reports.spec import ReportSpec
from tests.clock import NOW, Clock
from tests.pipelines.conftest import DAYS
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.schema.verdicts import PROVEN, UNPROVABLE, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.loading.load_result import Outcome

DAY, READ_ON = date(2026, 11, 21), date(2026, 11, 23)
ENABLED = {"feature_name": "comscore", "status": "enabled"}
NOT_KNOWN = "it is not known whether the account has enabled the feature comscore, without which"


@pytest.mark.parametrize(
    ("rows", "explains", "reason"),
    [
        ([], True, "the account has not enabled the feature comscore (read on 2026-11-23)"),
        (
            [ENABLED | {"feature_name": "frequency_value"}],
            True,
            "the account has not enabled the feature comscore (read on 2026-11-23)",
        ),
        ([ENABLED | {"status": "disabled"}], True, "the account has not enabled the feature com"),
        ([ENABLED], False, "the account has enabled the feature comscore (read on 2026-11-23), w"),
        (
            [ENABLED | {"insights_effective_date": "2026-11-21"}],
            False,
            "the account has enabled the feature comscore (read on",
        ),
        (
            [ENABLED | {"insights_effective_date": "2026-11-22"}],
            True,
            "the account has the feature comscore enabled since 2026-11-22, days before have none",
        ),
        ([ENABLED | {"insights_effective_date": None}], False, "the account has enabled the fea"),
        ([ENABLED | {"insights_effective_date": 20261122}], None, "effective_date is 20261122"),
        ([ENABLED | {"insights_effective_date": "soon"}], None, "effective_date is 'soon'"),
        ([ENABLED | {"status": "pending"}], None, "its status is 'pending'"),
        ([ENABLED | {"status": "ENABLED"}], False, "the account has enabled the feature comsco"),
        ([ENABLED, ENABLED], False, "the account has enabled the feature comscore (read on"),
        ([ENABLED, ENABLED | {"status": "disabled"}], None, "two entries about it differ"),
        ([{"feature_name": "comscore"}], None, "its status is None"),
        ([ENABLED, None], None, "an entry has no feature_name: None"),
        ([{"status": "enabled"}], None, "an entry has no feature_name"),
    ],
)
def test_what_the_settings_say_of_a_day_without_rows(
    rows: Sequence[Any], *, explains: bool | None, reason: str
) -> None:
    told = explained("comscore", Features.of(rows, READ_ON), DAY)

    assert told.explains is explains
    assert reason in told.reason
    assert (explains is None) == told.reason.startswith(NOT_KNOWN)


class Recording(httpx.HTTPTransport):
    """Notes where requests go."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts: set[str] = set()
        self.paths: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.url.host)
        self.paths[request.url.path.rpartition("/act_")[2]] += 1
        return super().handle_request(request)


def by(breakdown: str, **more: Any) -> Report:
    return Report.of(
        ReportSpec(
            name=f"by_{breakdown}"[:20],
            level="campaign",
            breakdowns=(breakdown,),
            **({"fields": ("clicks",)} | more),
        )
    )


REPORTS = [by("impression_device"), by("comscore_market"), by("country")]


class Scene:
    """A sandbox, a lake, and what one run of several reports loads into it."""

    def __init__(self, sandbox: Sandbox, lake: Lake, clock: Clock) -> None:
        self.sandbox, self.lake, self.clock = sandbox, lake, clock
        self.sent = Recording()

    def load(self, run_id: str, *, days: Sequence[date] = DAYS) -> dict[str, Sequence[Outcome]]:
        with GraphClient(
            self.sandbox.token,
            base_url=self.sandbox.url,
            transport=self.sent,
            sleep=self.clock.sleep,
            clock=self.clock.seconds,
        ) as client:
            store_accounts(self.lake, discover(client).rows, NOW)
            features = FeatureSettings(client, lambda: NOW)
            loader = Loader(
                *(client, self.lake, accounts_in(self.lake), run_id),
                features=features,
                now=lambda: self.clock.now,
            )
            wanted = [AccountDay(one, day) for one in self.sandbox.account_ids[:5] for day in days]
            return {one.name: list(loader.load(one, wanted)) for one in REPORTS}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    catalog = KNOWN.catalog
    for report in REPORTS:
        catalog = catalog.with_table(report.table)
    clock = Clock(NOW)
    with Sandbox(now=lambda: clock.now, scenarios=("opted_in_in_turn:2026-11-21",)) as sandbox:
        yield Scene(sandbox, Lake(tmp_path / "lake", catalog=catalog), clock)


def reasons(outcomes: Sequence[Outcome], account_id: str) -> list[tuple[date, str, str, int]]:
    """Day, verdict, reason and rows of an account's days with delivery."""
    loads = [one.load for one in outcomes if one.load and one.account_day.account_id == account_id]
    return [
        (load.date, load.verdict, load.reason, load.rows)
        for load in sorted(loads, key=lambda load: load.date)
        if load.control_impressions
    ]


def test_empty_days_say_whether_the_feature_explains_them(scene: Scene) -> None:
    found = scene.load("run-1")
    whole, since, nothing, forbidden, again = scene.sandbox.account_ids[:5]
    by_device = found["by_impression_device"]

    for account_id in (whole, again):
        assert {verdict for _, verdict, _, _ in reasons(by_device, account_id)} <= {PROVEN}
    for day, verdict, reason, rows in reasons(by_device, since):
        is_before = day < DAY
        assert (verdict, rows == 0) == (UNPROVABLE if is_before else PROVEN, is_before)
        told = "has the feature impression_device enabled since 2026-11-21, days before have none"
        assert (told in reason) == is_before
    told = (
        "no rows, though the account delivered: the account has not enabled the feature"
        " impression_device (read on 2026-11-23)"
    )
    of_nothing = reasons(by_device, nothing)
    assert {one[1] for one in of_nothing} == {UNPROVABLE}
    assert all(one[2].startswith(told) for one in of_nothing)
    of_forbidden = reasons(by_device, forbidden)
    assert of_forbidden
    assert all(verdict == UNPROVEN for _, verdict, _, _ in of_forbidden)
    assert all("not known whether the account has enabled" in one[2] for one in of_forbidden)
    assert all("(#10)" in one[2] for one in of_forbidden)
    assert {one.load.verdict for one in found["by_country"] if one.load} == {PROVEN}

    # Read where a day was empty, once for each account, and nowhere else.
    asked = {path: n for path, n in scene.sent.paths.items() if "feature-settings" in path}
    needed = {f"{one}/insights/feature-settings": 1 for one in (since, nothing, forbidden)}
    assert asked == needed
    assert scene.sent.hosts == {"127.0.0.1"}


def test_rows_from_before_are_kept_however_often_none_come_and_return_once_enabled(
    scene: Scene,
) -> None:
    days = DAYS[1:2]
    nothing = scene.sandbox.account_ids[2]

    def outcome(found: dict[str, Sequence[Outcome]], name: str) -> Outcome:
        return next(one for one in found[name] if one.account_day.account_id == nothing)

    def rows_in_lake(name: str) -> int:
        load = scene.lake.load_of(name, nothing, days[0])
        assert load
        return load.rows

    scene.sandbox.use()
    scene.load("run-1", days=days)
    before = {one.name: rows_in_lake(one.name) for one in REPORTS}
    assert all(before.values())

    scene.sandbox.use("not_opted_in")
    for run in ("run-2", "run-3"):  # the second an hour later: it would confirm an empty day
        scene.clock.now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        found = scene.load(run, days=days)
        for name in ("by_impression_device", "by_comscore_market"):
            error = outcome(found, name).error
            assert "the account has not enabled the feature" in error
            assert f"The {before[name]} rows loaded at 2026-11-23 20:00 UTC were kept" in error
        scene.clock.now = datetime(2026, 11, 24, 15, tzinfo=UTC)

    assert {one.name: rows_in_lake(one.name) for one in REPORTS} == before


def test_an_explained_empty_day_gives_way_to_rows_once_the_feature_is_enabled(
    scene: Scene,
) -> None:
    days = DAYS[1:2]
    nothing = scene.sandbox.account_ids[2]
    scene.load("run-1", days=days)
    explained_one = scene.lake.load_of("by_impression_device", nothing, days[0])

    scene.sandbox.use()
    scene.load("run-2", days=days)
    later = scene.lake.load_of("by_impression_device", nothing, days[0])

    assert explained_one
    assert (explained_one.verdict, explained_one.rows) == (UNPROVABLE, 0)
    assert later
    assert (later.verdict, later.rows > 0) == (PROVEN, True)


def test_a_host_without_settings_is_asked_three_times_at_most(scene: Scene) -> None:
    scene.sandbox.use("not_opted_in", "no_feature_settings")

    found = scene.load("run-1", days=DAYS[1:2])

    asked = [path for path in scene.sent.paths if "feature-settings" in path]
    assert 0 < len(asked) <= 3
    empty = [one.load for one in found["by_impression_device"] if one.load]
    told = {load.reason for load in empty if load.control_impressions}
    assert all("not known whether the account has enabled" in reason for reason in told)
    assert any("Unknown path components" in reason for reason in told)
