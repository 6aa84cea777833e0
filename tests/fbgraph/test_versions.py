from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import API_VERSION, versions
from fbgraph.errors import VersionError
from fbgraph.versions import END_OF_LIFE, LATEST, living, tell

if TYPE_CHECKING:
    from tests.fbgraph.conftest import MakeWire

UPGRADED = "The call has been auto-upgraded to v26.0 as v24.0 has been deprecated"
DEPRECATED = {
    "message": "(#2635) You are calling a deprecated version of the Ads API. Please update to the"
    " latest version: v26.0.",
    "code": 2635,
}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "fbgraph.versions"]


def test_the_newest_version_is_asked_by_default_and_lives(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={}))

    graph.client.get("me")

    assert (graph.asked, LATEST in living()) == ([f"GET /{API_VERSION}/me"], True)


@pytest.mark.parametrize("version", ["26.0", "v26", "", "latest", "v26.0/", "V26.0", "v26.0\n"])
def test_what_is_no_version_is_refused_before_anything_is_asked(
    wire: MakeWire, version: str
) -> None:
    with pytest.raises(VersionError, match=r"write it like v26\.0"):
        wire(version=version)


@pytest.mark.parametrize(
    ("version", "end"),
    [
        *(("v21.0", date(2025, 9, 9)), ("v22.0", date(2026, 2, 19))),
        *(("v23.0", date(2026, 6, 9)), ("v24.0", date(2026, 10, 6))),
        *(("v25.0", None), ("v26.0", None)),
    ],
)
def test_versions_end_on_their_day(version: str, end: date | None) -> None:
    assert (END_OF_LIFE[version], version in living()) == (end, end is None)


def test_an_expired_version_is_refused_with_those_that_live(wire: MakeWire) -> None:
    graph = wire(httpx.Response(400, json={"error": DEPRECATED}), version="v24.0")

    with pytest.raises(VersionError, match=r"FB_API_VERSION to a version that lives: v25.0, v26.0"):
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
        "Asked for API v24.0, served by v26.0: set FB_API_VERSION to it.",
        f"Meta says: {UPGRADED}",
    ]


def test_an_end_to_come_is_told_with_the_versions_that_live(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"X-Ad-Api-Version-Warning": "v24.0 will go.", "facebook-api-version": "v24.0"}
    graph = wire(httpx.Response(200, json={}, headers=headers), version="v24.0")

    graph.client.get("act_1/campaigns")

    assert warnings(caplog) == [
        "Meta says: v24.0 will go. Set FB_API_VERSION to one of v25.0, v26.0."
    ]


def test_an_item_of_a_batch_tells_its_version_too(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    headers = [{"name": "facebook-api-version", "value": "v25.0"}]
    graph = wire(httpx.Response(200, json=[{"code": 200, "headers": headers, "body": "{}"}]))

    graph.client.batch([graph.client.node("1").request()])

    assert (warnings(caplog), graph.client.tally.api_version) == (
        ["Asked for API v26.0, served by v25.0: set FB_API_VERSION to it."],
        "v25.0",
    )


@pytest.mark.parametrize("headers", [{}, {"facebook-api-version": "v26.0"}])
def test_nothing_is_told_of_what_was_asked_for(
    caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    tell("v26.0", headers)

    assert (caplog.records, versions._told) == ([], set())  # noqa: SLF001  # what a process remembers
