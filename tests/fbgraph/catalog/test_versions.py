from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import API_VERSION
from fbgraph.catalog.fields import ATTRIBUTION_WINDOWS, DEAD_WINDOWS
from fbgraph.catalog.retirements import RETIREMENTS, retired
from fbgraph.catalog.versions import (
    PINNED,
    READ_ON,
    VERSIONS,
    living,
    newest,
    next_living,
    number,
    supported,
    version_of,
    why_not,
)
from fbgraph.errors import VersionError
from fbgraph.http import served
from fbgraph.http.served import warn

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

DAY = timedelta(days=1)
TODAY = date(2026, 11, 29)

UPGRADED = "The call has been auto-upgraded to v26.0 as v24.0 has been deprecated"
DEPRECATED = {
    "message": "(#2635) You are calling a deprecated version of the Ads API. Please update to the"
    " latest version: v26.0.",
    "code": 2635,
}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "fbgraph.http.served"]


def test_the_pinned_version_is_requested_by_default_and_its_end_is_not_announced(
    wire: MakeWire,
) -> None:
    graph = wire(httpx.Response(200, json={}))

    graph.client.get("me")

    pinned = version_of(PINNED)
    assert pinned
    assert (graph.asked, API_VERSION, pinned.ads_end) == (["GET /v26.0/me"], PINNED, None)


@pytest.mark.parametrize("version", ["26.0", "v26", "", "latest", "v26.0/", "V26.0", "v26.0\n"])
def test_what_is_no_version_is_refused_before_anything_is_asked(
    wire: MakeWire, version: str
) -> None:
    with pytest.raises(VersionError, match=r"Write it like v26\.0"):
        wire(version=version)


@pytest.mark.parametrize(
    ("version", "released", "end"),
    [
        ("v21.0", date(2024, 10, 2), date(2025, 9, 9)),
        ("v22.0", date(2025, 1, 21), date(2026, 2, 19)),
        ("v23.0", date(2025, 5, 29), date(2026, 6, 9)),
        ("v24.0", date(2025, 10, 8), date(2026, 11, 10)),
        ("v25.0", date(2026, 2, 18), date(2027, 2, 23)),
        ("v26.0", date(2026, 7, 29), None),
        ("v27.0", date(2026, 11, 4), None),
    ],
)
def test_a_version_serves_ads_from_its_release_to_the_day_before_its_end(
    version: str, released: date, end: date | None
) -> None:
    last = end - DAY if end else date(2030, 1, 1)

    lives = [version in living(day) for day in (released - DAY, released, last, last + DAY)]

    assert lives == [False, True, True, end is None]


@pytest.mark.parametrize(
    ("day", "versions", "latest"),
    [
        (date(2026, 11, 3), ["v24.0", "v25.0", "v26.0"], "v26.0"),
        (date(2026, 11, 9), ["v24.0", "v25.0", "v26.0", "v27.0"], "v27.0"),
        (date(2026, 11, 29), ["v25.0", "v26.0", "v27.0"], "v27.0"),
        (date(2027, 2, 23), ["v26.0", "v27.0"], "v27.0"),
        (date(2020, 1, 1), [], "v20.0"),
    ],
)
def test_what_lives_and_what_is_newest_depends_on_the_day(
    day: date, versions: list[str], latest: str
) -> None:
    assert (living(day), newest(day)) == (versions, latest)


@pytest.mark.parametrize(("day", "upgraded"), [(TODAY, "v25.0"), (date(2027, 2, 23), "v26.0")])
def test_what_has_ended_is_upgraded_to_the_oldest_newer_one(day: date, upgraded: str) -> None:
    assert {next_living(name, day) for name in ("v3.0", "v24.0")} == {upgraded}


def test_the_table_is_in_order_and_graph_outlives_ads() -> None:
    assert [number(v.name) for v in VERSIONS] == sorted(number(v.name) for v in VERSIONS)
    assert [v.released for v in VERSIONS] == sorted(v.released for v in VERSIONS)
    for version in VERSIONS:
        assert version.released < (version.ads_end or date.max)
        assert (version.ads_end or date.max) <= (version.graph_end or date.max)


SUPPORTED = "v25.0 (until 2027-02-23), v26.0 or v27.0"


@pytest.mark.parametrize(
    ("version", "day", "said"),
    [
        *((version, TODAY, "") for version in ("v25.0", "v26.0", "v27.0")),
        ("v24.0", date(2026, 11, 10), ""),  # Meta still serves it for some hours
        ("v24.0", date(2026, 11, 11), f"Meta ended API version v24.0 on 2026-11-10. {SUPPORTED}"),
        ("v25.0", date(2027, 2, 24), "Meta ended API version v25.0 on 2027-02-23. v26.0 or v27.0"),
        ("v3.2", TODAY, f"Meta ended API version v3.2 years ago. {SUPPORTED}"),
        ("v26.5", TODAY, f"fbinsights does not know API version v26.5. {SUPPORTED}"),
        ("v28.0", TODAY, f"fbinsights does not know API version v28.0. Upgrade: {SUPPORTED}"),
    ],
)
def test_what_has_ended_or_is_unknown_is_refused_with_what_to_set(
    version: str, day: date, said: str
) -> None:
    why = said.replace("Upgrade: ", "Upgrade fbinsights, or set FB_API_VERSION to ")
    for first in ("v25.0 (", "v26.0 or"):
        why = why.replace(f". {first}", f". Set FB_API_VERSION to {first}")

    assert why_not(version, day) == (f"{why}." if why else "")


def test_a_version_alone_is_told_without_a_list() -> None:
    assert supported(date(2024, 6, 1)) == "v20.0 (until 2025-05-06)"


def test_retired_windows_are_retired_from_their_day_on() -> None:
    windows = "action_attribution_windows"
    before, after = (retired(windows, date(2026, 1, day)).keys() for day in (11, 12))

    assert before == {"inline"}
    assert after - before == {name for name in ATTRIBUTION_WINDOWS if "d_view" in name} - {
        "1d_view"
    }
    assert after == DEAD_WINDOWS.keys()


def test_every_retirement_says_what_becomes_of_it_and_who_said_so() -> None:
    assert len(RETIREMENTS) > 10
    assert [row.since for row in RETIREMENTS] == sorted(row.since for row in RETIREMENTS)
    assert all(row.name and row.effect and row.source for row in RETIREMENTS)


def test_an_expired_version_is_refused_with_those_that_live(wire: MakeWire) -> None:
    graph = wire(httpx.Response(400, json={"error": DEPRECATED}), version="v24.0")

    with pytest.raises(VersionError, match=rf"to a supported version: {re.escape(SUPPORTED)}\."):
        graph.client.get("act_1/campaigns")

    assert len(graph.requests) == 1


def test_an_upgrade_is_told_once_per_process_and_what_to_do(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Ad-Api-Version-Warning": UPGRADED, "facebook-api-version": "v26.0"}
    answer = httpx.Response(200, json={}, headers=headers)
    graphs = [wire(answer, version="v24.0") for _ in range(2)]

    for graph in graphs * 3:
        graph.client.get("act_1/campaigns")

    assert warnings(caplog) == [
        "Requested API v24.0 but v26.0 answered. Set FB_API_VERSION=v26.0.",
        f"Meta warns: {UPGRADED}",
    ]


def test_an_end_to_come_is_told_with_the_versions_that_live(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Ad-Api-Version-Warning": "v24.0 will go.", "facebook-api-version": "v24.0"}
    graph = wire(httpx.Response(200, json={}, headers=headers), version="v24.0")

    graph.client.get("act_1/campaigns")

    assert warnings(caplog) == [f"Meta warns: v24.0 will go. Set FB_API_VERSION to {SUPPORTED}."]


def test_an_item_of_a_batch_tells_its_version_too(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    headers = [{"name": "facebook-api-version", "value": "v25.0"}]
    graph = wire(httpx.Response(200, json=[{"code": 200, "headers": headers, "body": "{}"}]))

    graph.client.batch([graph.client.node("1").request()])

    assert (warnings(caplog), graph.client.tally.api_version) == (
        ["Requested API v26.0 but v25.0 answered. Set FB_API_VERSION=v25.0."],
        "v25.0",
    )


@pytest.mark.parametrize("headers", [{}, {"facebook-api-version": "v26.0"}])
def test_nothing_is_told_of_what_was_asked_for(
    caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    warn("v26.0", headers)

    assert (caplog.records, served._given) == ([], set())  # noqa: SLF001  # what a process remembers


ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "graph-api.md").read_text(encoding="utf-8")


def between(mark: str) -> str:
    return PAGE.split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]


def row(*cells: object) -> str:
    return f"| {' | '.join(str(cell or '') for cell in cells)} |"


def test_the_page_has_the_tables_as_they_are() -> None:
    versions = [
        row(f"`{v.name}`", v.released, v.ads_end or "not announced",
            v.graph_end or "not announced", v.source)
        for v in VERSIONS
    ]  # fmt: skip
    gone = [row(r.since, r.kind, f"`{r.name}`", r.effect, r.instead, r.source) for r in RETIREMENTS]

    assert between("versions").strip().splitlines()[2:] == versions
    assert between("retirements").strip().splitlines()[2:] == gone
    assert (between("pinned"), between("read")) == (PINNED, str(READ_ON))


def test_the_readme_names_the_versions_that_can_be_set() -> None:
    [line] = [
        line for line in (ROOT / "README.md").read_text().splitlines() if "`FB_API_VERSION`" in line
    ]

    assert supported(READ_ON) in line
