"""``fields`` that reach through edges, and the grammar they are written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.sandbox.protocol.errors import RefusedError
from fbgraph.sandbox.protocol.expansion import RequestedField, read_fields

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph

RANGE = '{"since":"2026-11-01","until":"2026-11-20"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id", [RequestedField("id")]),
        (" id , name ,", [RequestedField("id"), RequestedField("name")]),
        (
            "a{b{c}}",
            [
                RequestedField(
                    "a", (RequestedField("b", (RequestedField("c"),), (), "c"),), (), "b{c}"
                )
            ],
        ),
        ("a.limit(5){b}", [RequestedField("a", (RequestedField("b"),), (("limit", "5"),), "b")]),
        ("a.limit(5).after(x)", [RequestedField("a", (), (("limit", "5"), ("after", "x")))]),
        (
            'a.filtering([{"field":"n","value":"){,"}]),b',
            [
                RequestedField("a", (), (("filtering", '[{"field":"n","value":"){,"}]'),)),
                RequestedField("b"),
            ],
        ),
    ],
)
def test_fields_are_read_with_their_parameters(text: str, expected: list[RequestedField]) -> None:
    assert list(read_fields({"fields": text})) == expected


@given(st.text('ab,.(){}[]"\\ ', max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_fields({"fields": text})
    except RefusedError as error:
        assert error.refusal.code == 100  # noqa: PT017  either end is right
    else:
        assert all(isinstance(one, RequestedField) for one in found)


def test_a_user_is_read_with_the_accounts(graph: Graph) -> None:
    found = graph.get("me", fields="name,adaccounts.limit(2){name,account_id}").json()

    page = found["adaccounts"]
    assert found.keys() == {"id", "name", "adaccounts"}
    assert [row.keys() for row in page["data"]] == [{"name", "account_id", "id"}] * 2
    assert urlsplit(page["paging"]["next"]).path == "/v26.0/me/adaccounts"


def test_an_accounts_campaigns_go_on_where_the_field_ended(graph: Graph) -> None:
    account = graph.account()

    page = graph.get(account, fields="campaigns.limit(2){id,name}").json()["campaigns"]
    more = graph.bare.get(page["paging"]["next"]).json()

    assert parse_qs(urlsplit(page["paging"]["next"]).query)["fields"] == ["id,name"]
    assert [*page["data"], *more["data"]] == graph.rows(f"{account}/campaigns", fields="id,name")[
        :4
    ]


def test_rows_of_an_edge_carry_their_insights(graph: Graph) -> None:
    fields = f"name,insights.time_range({RANGE}){{spend,impressions}}"

    rows = graph.rows(f"{graph.account()}/campaigns", fields=fields)

    assert all(set(row) <= {"id", "name", "insights"} for row in rows)
    for row in rows:
        own = graph.rows(
            f"{row['id']}/insights", fields="spend,impressions", time_range=json.loads(RANGE)
        )
        assert row.get("insights", {}).get("data", []) == own
    assert any("insights" in row for row in rows)


def test_edges_nest_to_any_depth(graph: Graph) -> None:
    fields = "adsets.limit(1){name,ads.limit(1){creative{title,body}}}"

    campaign = graph.rows(f"{graph.account()}/campaigns", fields=fields)[0]

    creative = campaign["adsets"]["data"][0]["ads"]["data"][0]["creative"]
    assert creative.keys() == {"title", "body", "id"}


def test_an_edge_without_rows_is_absent(graph: Graph) -> None:
    assert graph.get(graph.account(), fields="adimages.name(none){hash},id").json().keys() == {"id"}


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("{act}", "campaigns{foo}", "nonexisting field (foo) on node type (Campaign)"),
        ("{act}", "name.limit(2)", "nonexisting field (name) on node type (AdAccount)"),
        ("{act}", "insights.level(x){spend}", "level must be one of"),
        ("{act}", "insights{foo}", "foo is not valid for fields param"),
        ("{act}", "campaigns.limit(2", "balanced braces"),
        ("{act}", "campaigns}", "campaigns}"),
        ("{act}", "campaigns{id}x", "a list like"),
        ("me", "foo", "nonexisting field (foo) on node type (User)"),
        ("me", "adaccounts{foo}", "on node type (AdAccount)"),
    ],
)
def test_a_wrong_field_is_refused(graph: Graph, path: str, fields: str, words: str) -> None:
    error = graph.error(path.format(act=graph.account()), fields=fields)

    assert error["code"] == 100
    assert words in error["message"]
