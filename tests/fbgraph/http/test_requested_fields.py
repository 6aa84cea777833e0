"""Fields of a request: a star written out, and what is left out because Meta refuses it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fbgraph.catalog import fields
from fbgraph.catalog.fields import EDGE_KINDS, HOURLY
from fbgraph.errors import Detail, FieldError, GraphError, PermissionDeniedError, RequestError
from fbgraph.http.filtering import check_kind, expand, refused_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fbgraph.conftest import MakeWire

KINDS = sorted(set(EDGE_KINDS.values()))

MISSING_RIGHT = "(#200) Requires business_management permission to manage the object"
NO_SUCH_FIELD = "(#100) Tried accessing nonexisting field (nmae) on node type (Campaign)"
NOT_VALID = (
    "(#100) nmae is not valid for fields param. please check https://developers.facebook.com/docs"
    "/marketing-api/reference/ads-insights/ for all valid values"
)


def refused(code: int, message: str, **more: Any) -> httpx.Response:
    return httpx.Response(400, json={"error": {"code": code, "message": message, **more}})


def rows(*found: dict[str, Any], after: str | None = None) -> httpx.Response:
    paging = {"cursors": {"after": after}, "next": "https://graph.facebook.com/x"} if after else {}
    return httpx.Response(200, json={"data": list(found), "paging": paging})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("breakdowns", [(), ["age"], [HOURLY], HOURLY])
def test_a_star_is_all_that_may_be_asked_of_a_kind(kind: str, breakdowns: Sequence[str]) -> None:
    hourly = HOURLY in breakdowns

    assert expand("*", kind, breakdowns) == fields.readable(kind, hourly=hourly)


@pytest.mark.parametrize(
    ("edge", "kind"), [(edge, kind) for edge, kind in EDGE_KINDS.items() if kind != "insights"]
)
def test_a_star_is_written_out_on_every_edge_of_the_catalogue(
    wire: MakeWire, edge: str, kind: str
) -> None:
    graph = wire(rows())

    list(graph.client.node("me").edge(edge, fields="*"))

    assert graph.params[0]["fields"].split(",") == list(fields.readable(kind))


def test_a_star_under_the_hourly_breakdown_leaves_out_what_it_refuses(wire: MakeWire) -> None:
    account = wire(rows()).client.account("1")

    daily, hourly = (
        set(account.insights(fields="*", breakdowns=breakdowns).request.params["fields"])
        for breakdowns in ([], [HOURLY])
    )

    assert (hourly < daily, "video_play_actions" in daily - hourly) == (True, True)


def test_a_star_is_written_out_for_nodes_reports_and_batches(wire: MakeWire) -> None:
    client = wire(httpx.Response(200, json={"report_run_id": "7"})).client
    every = list(fields.readable("campaign"))

    asked = [
        client.node("7", kind="campaign").request(fields="*").params["fields"],
        client.account("1").request(edge="campaigns", fields="*").params["fields"],
    ]

    assert [list(names) for names in asked] == [every, every]
    assert client.account("1").request(fields="*").params["fields"] == fields.readable("adaccount")


@pytest.mark.parametrize("text", ["id,name", "id", "", "**", " *"])
def test_fields_as_text_are_refused(wire: MakeWire, text: str) -> None:
    graph = wire(rows())
    doors: Sequence[Callable[[], object]] = (
        lambda: graph.client.account("1").get(text),
        lambda: graph.client.account("1").edge("campaigns", fields=text),
        lambda: graph.client.account("1").create_report(fields=text),
    )

    for door in doors:
        with pytest.raises(RequestError, match=r'fields must be a list of names, or "\*" for all'):
            door()

    assert graph.requests == []


def test_a_star_of_a_node_whose_kind_nobody_knows_asks_for_it(wire: MakeWire) -> None:
    client = wire(rows()).client

    with pytest.raises(RequestError, match=r'kind="campaign"'):
        client.node("7").get("*")
    with pytest.raises(RequestError, match=r'kind="campaign"'):
        client.account("1").edge("reachestimate", fields="*")


def test_a_kind_that_is_none_is_refused_with_those_near_it(wire: MakeWire) -> None:
    with pytest.raises(RequestError, match=r"The kind 'campaigns' is not known. Did you mean camp"):
        wire(rows()).client.node("7", kind="campaigns")


def test_the_kinds_are_those_of_the_catalogue() -> None:
    assert [check_kind(kind) for kind in ("", *KINDS)] == ["", *KINDS]
    assert [kind for kind in KINDS if not fields.of(kind)] == []


#: message and blamed fields of a refusal → which of the fields it is about.
REFUSALS = [
    (NO_SUCH_FIELD, (), "campaign", ["id", "nmae"], ["nmae"]),
    (NO_SUCH_FIELD, (), "", ["id", "nmae{id}"], ["nmae{id}"]),
    (NOT_VALID, (), "insights", ["spend", "nmae"], ["nmae"]),
    (
        "(#100) Tried accessing nonexisting summary field (adset_end)",
        *((), "insights", ["spend", "adset_end"], ["adset_end"]),
    ),
    ("No", ("owner",), "adaccount", ["id", "owner"], ["owner"]),
    ("No", ("fields.owner",), "adaccount", ["id", "owner.limit(5){id}"], ["owner.limit(5){id}"]),
    (MISSING_RIGHT, (), "adaccount", ["id", "owner", "is_prepay_account"], ["owner"]),
    ("No", (), "adaccount", ["id", "owner", "is_prepay_account"], ["owner", "is_prepay_account"]),
    ("No", (), "adaccount", ["id", "name"], []),
    ("No", (), "", ["id", "owner"], []),
    ("No", (), "insights", ["spend"], []),
    (NO_SUCH_FIELD, (), "campaign", ["id"], []),
]


@pytest.mark.parametrize(("message", "blamed", "kind", "asked", "about"), REFUSALS)
def test_a_refusal_is_about_fields_it_names_or_that_need_the_right_it_names(
    message: str, blamed: tuple[str, ...], kind: str, asked: list[str], about: list[str]
) -> None:
    error = GraphError(Detail(message, blamed_fields=blamed))

    assert list(refused_fields(error, asked, kind)) == about


def test_a_field_that_is_named_is_left_out_with_a_warning(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    graph = wire(refused(100, NO_SUCH_FIELD), httpx.Response(200, json={"id": "7"}))

    row = graph.client.node("7").get(["id", "nmae"], drop_refused=True)

    (record,) = caplog.records
    assert (row, [p["fields"] for p in graph.params]) == ({"id": "7"}, ["id,nmae", "id"])
    assert (record.levelno, record.getMessage()[:60]) == (
        *(
            logging.WARNING,
            "7: left out nmae: (#100) Tried accessing nonexisting field (nmae)"[:60],
        ),
    )


def test_fields_that_need_a_right_are_left_out_one_refusal_after_the_other(wire: MakeWire) -> None:
    graph = wire(
        refused(200, MISSING_RIGHT),
        refused(100, "Unsupported request - method type: get"),
        httpx.Response(200, json={"id": "act_1"}),
    )

    graph.client.account("1").get(["id", "owner", "is_prepay_account"], drop_refused=True)

    assert [p["fields"] for p in graph.params] == [
        "id,owner,is_prepay_account",
        "id,is_prepay_account",
        "id",
    ]


@pytest.mark.parametrize(
    "refusal",
    [
        refused(100, NO_SUCH_FIELD),  # it names none that was asked for
        refused(200, "(#200) Ad account owner has NOT grant ads_read"),  # none needs a right
    ],
)
def test_a_refusal_that_no_field_explains_is_raised(
    wire: MakeWire, refusal: httpx.Response
) -> None:
    graph = wire(refusal)

    with pytest.raises((FieldError, PermissionDeniedError)):
        graph.client.account("1").get(["id", "name"], drop_refused=True)

    assert len(graph.requests) == 1


def test_the_last_field_is_not_left_out(wire: MakeWire) -> None:
    graph = wire(refused(200, MISSING_RIGHT))

    with pytest.raises(PermissionDeniedError):
        graph.client.account("1").get(["owner"], drop_refused=True)

    assert len(graph.requests) == 1


def test_nothing_is_left_out_unless_the_caller_allows_it(wire: MakeWire) -> None:
    graph = wire(refused(100, NO_SUCH_FIELD))

    with pytest.raises(FieldError):
        graph.client.node("7").get(["id", "nmae"])
    with pytest.raises(FieldError):
        list(graph.client.account("1").edge("campaigns", fields=["id", "nmae"]))

    assert [p["fields"] for p in graph.params] == ["id,nmae"] * 2


def test_what_an_edge_left_out_stays_left_out_on_its_next_pages(
    wire: MakeWire, caplog: pytest.LogCaptureFixture
) -> None:
    graph = wire(
        rows({"id": "1"}, after="A"),
        refused(200, MISSING_RIGHT),
        rows({"id": "2"}, after="B"),
        rows({"id": "3"}),
    )
    edge = graph.client.node("me").edge("adaccounts", fields=["id", "owner"], drop_refused=True)

    found = list(edge)

    assert [row["id"] for row in found] == ["1", "2", "3"]
    assert [(p.get("after"), p["fields"]) for p in graph.params] == [
        *((None, "id,owner"), ("A", "id,owner"), ("A", "id"), ("B", "id")),
    ]
    assert [r.getMessage().partition(": (#200)")[0] for r in caplog.records] == [
        "me/adaccounts: left out owner"
    ]


def test_the_next_reading_of_an_edge_asks_for_all_fields_again(wire: MakeWire) -> None:
    graph = wire(refused(200, MISSING_RIGHT), rows({"id": "1"}), rows({"id": "1"}))
    edge = graph.client.node("me").edge("adaccounts", fields=["id", "owner"], drop_refused=True)

    list(edge)
    list(edge)

    assert [p["fields"] for p in graph.params] == ["id,owner", "id", "id,owner"]
