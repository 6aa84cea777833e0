"""Filters and statuses: what would do nothing is refused before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.catalog.fields import EDGE_KINDS, EFFECTIVE_STATUSES, OPERATORS
from fbgraph.errors import RequestError
from fbgraph.http.filtering import check_filtering, check_statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph import GraphClient
    from tests.fbgraph.conftest import MakeWire

KINDS = sorted(set(EDGE_KINDS.values()))
LISTS = (
    *("IN", "NOT_IN", "IN_RANGE", "NOT_IN_RANGE"),
    *("CONTAINS_ANY", "CONTAINS_ALL", "NOT_CONTAINS_ANY"),
)
EITHER = ("STEM_MATCH", "ANY", "ALL", "NONE", "TOP")
SCALARS = sorted(OPERATORS - set(LISTS) - set(EITHER))

#: Doors that a condition comes through.
DOORS: dict[str, Callable[[GraphClient, Any], object]] = {
    "edge": lambda client, found: client.account("1").edge("campaigns", filtering=found),
    "insights": lambda client, found: client.account("1").insights(filtering=found),
    "request": lambda client, found: client.account("1").request(edge="ads", filtering=found),
    "report": lambda client, found: client.account("1").create_report(filtering=found),
}


def condition(field: Any = "id", operator: Any = "IN", value: Any = ("1",)) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def rows(*found: dict[str, Any], after: str | None = None) -> httpx.Response:
    paging = {"cursors": {"after": after}, "next": "https://graph.facebook.com/x"} if after else {}
    return httpx.Response(200, json={"data": list(found), "paging": paging})


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "bad",
    [
        [condition(operator="EQUALS")],
        [condition(field="nmae")],
        [condition(value="1")],
        [{"field": "id", "operator": "IN"}],
        ["id IN 1"],
        [condition("campaign.id"), condition(operator="in")],
    ],
    ids=repr,
)
def test_a_condition_that_would_do_nothing_is_refused_before_it_is_sent(
    wire: MakeWire, door: str, bad: Sequence[Any]
) -> None:
    graph = wire(rows())

    with pytest.raises(RequestError, match=rf"filtering\[{len(bad) - 1}\]"):
        DOORS[door](graph.client, bad)

    assert graph.requests == []


@pytest.mark.parametrize(
    ("operator", "hint"),
    [
        ("EQUALS", "Did you mean EQUAL"),
        ("in", "Choose from: AFTER, ALL, ANY,"),
        ("GREATER_OR_EQUAL", "Did you mean GREATER_THAN_OR_EQUAL"),
        ("STARTS", "STARTS_WITH"),
        ("=", "Choose from: "),
        ("", "Choose from: "),
        (None, "Choose from: "),
        (["IN"], "Choose from: "),
        ({"IN": 1}, "Choose from: "),
    ],
)
def test_an_operator_that_is_none_is_told_with_those_that_it_may_be(
    operator: object, hint: str
) -> None:
    with pytest.raises(RequestError, match=r"filtering\[0\]: the operator .* is not known") as told:
        check_filtering([condition(operator=operator)], "campaign")

    assert hint in str(told.value)


@pytest.mark.parametrize("operator", sorted(OPERATORS))
@pytest.mark.parametrize("value", ["1", 1, ["1"], ("1", "2"), []], ids=repr)
def test_an_operator_takes_a_list_or_one_value_as_it_wants(operator: str, value: object) -> None:
    is_list = not isinstance(value, str | int)
    wrong = (operator in LISTS and not is_list) or (operator in SCALARS and is_list)
    try:
        check_filtering([condition(operator=operator, value=value)], "campaign")
        told = ""
    except RequestError as error:
        told = str(error)

    wanted = "a list" if operator in LISTS else "one value"
    assert told == (f"filtering[0]: {operator} takes {wanted}, not {value!r}." if wrong else "")


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        *(("id", kind) for kind in KINDS if kind not in ("insights", "adactivity")),
        *(("campaign.id", kind) for kind in ("campaign", "adset", "ad", "insights")),
        *(("effective_status", kind) for kind in ("campaign", "adset", "ad")),
        *(("campaign.delivery_info", kind) for kind in ("campaign", "insights")),
        *(("ad.impressions", "insights"), ("impressions", "insights"), ("spend", "insights")),
        *(("ad.updated_time", "insights"), ("action_type", "insights"), ("age", "insights")),
        *(("campaign.name", "ad"), ("adset.name", "insights"), ("account.name", "insights")),
        ("whatever", ""),
    ],
)
def test_what_may_be_filtered_on_is_let_through(field: str, kind: str) -> None:
    value = ["PAUSED"] if field.endswith("status") else ["1"]

    check_filtering([condition(field=field, value=value)], kind)


@pytest.mark.parametrize(
    ("field", "kind", "told"),
    [
        ("nmae", "campaign", "the field 'nmae' is not known. Did you mean name"),
        ("campaign.nmae", "insights", "the field 'nmae' is not known. Did you mean name"),
        ("campain.name", "insights", "the level 'campain' is not known. Did you mean campaign"),
        ("campaign.x.name", "insights", "the level 'campaign.x' is not known. Did you mean"),
        ("impresions", "insights", "the field 'impresions' is not known. Did you mean impressions"),
        ("impressions", "campaign", "the field 'impressions' is not known. "),
        ("", "campaign", "the field '' is not known. Choose from: account_id, "),
        (None, "campaign", "the field 'None' is not known. "),
        (["id"], "campaign", "the field \"['id']\" is not known. "),
    ],
)
def test_a_field_that_is_none_is_told_with_those_near_it(
    field: object, kind: str, told: str
) -> None:
    with pytest.raises(RequestError) as caught:
        check_filtering([condition(field=field)], kind)

    assert f"filtering[0]: {told}" in str(caught.value)


@given(
    filtering=st.lists(
        st.none()
        | st.text()
        | st.dictionaries(
            st.sampled_from(("field", "operator", "value", "x")),
            st.recursive(
                st.none() | st.text() | st.integers() | st.sampled_from(["IN", "id", "ACTIVE"]),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=3,
            ),
        ),
        max_size=3,
    ),
    kind=st.sampled_from(("", *KINDS)),
)
def test_any_condition_is_let_through_or_refused_as_ours(filtering: Any, kind: str) -> None:
    try:
        check_filtering(filtering, kind)
    except RequestError as error:
        assert str(error).startswith("filtering[")  # noqa: PT017  # both ways are right


@pytest.mark.parametrize("kind", EFFECTIVE_STATUSES)
def test_every_status_of_a_kind_but_deleted_may_be_asked_of_its_edge(kind: str) -> None:
    alive = [status for status in EFFECTIVE_STATUSES[kind] if status != "DELETED"]

    check_statuses(alive, kind)
    check_filtering([condition("effective_status", "IN", alive)], kind)
    check_filtering([condition(f"{kind}.effective_status", "IN", alive)], kind)


@pytest.mark.parametrize("level", EFFECTIVE_STATUSES)
def test_insights_are_filtered_by_every_status_and_deleted_is_one(level: str) -> None:
    every = list(EFFECTIVE_STATUSES[level])

    check_filtering([condition(f"{level}.effective_status", "IN", every)], "insights")


@pytest.mark.parametrize(
    "asked",
    [
        {"effective_status": ["ACTIVE", "DELETED"]},
        {"filtering": [condition("effective_status", "IN", ["ACTIVE", "DELETED"])]},
        {"filtering": [condition("campaign.effective_status", "EQUAL", "DELETED")]},
    ],
)
def test_deleted_is_no_status_to_ask_of_an_edge(wire: MakeWire, asked: dict[str, Any]) -> None:
    graph = wire(rows())

    with pytest.raises(RequestError, match=r"remove DELETED.*read the objects themselves by id"):
        graph.client.account("1").edge("campaigns", **asked)

    assert graph.requests == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"effective_status": ["ACTIV"]}, "'ACTIV' is not known. Did you mean ACTIVE"),
        ({"effective_status": ["active"]}, "'active' is not known. Choose from: ACTIVE, ARCHIVED"),
        ({"effective_status": ["ADSET_PAUSED"]}, "'ADSET_PAUSED' is not known. Did you mean"),
        ({"effective_status": [1]}, "1 is not known. Choose from: "),
        (
            {"filtering": [condition("effective_status", "IN", ["PAUSD"])]},
            "'PAUSD' is not known. Did you mean PAUSED",
        ),
        (
            {"filtering": [condition("campaign.effective_status", "EQUAL", "PAUSD")]},
            "'PAUSD' is not known. Did you mean PAUSED",
        ),
    ],
)
def test_a_status_that_no_object_has_is_refused(
    wire: MakeWire, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(RequestError) as caught:
        wire(rows()).client.account("1").edge("campaigns", **asked)

    assert told in str(caught.value)


def test_a_status_of_insights_is_checked_by_its_level(wire: MakeWire) -> None:
    account = wire(rows()).client.account("1")

    account.insights(filtering=[condition("ad.effective_status", "IN", ["ADSET_PAUSED"])])
    with pytest.raises(RequestError, match="the status 'ADSET_PAUSED' is not known"):
        account.insights(filtering=[condition("campaign.effective_status", "IN", ["ADSET_PAUSED"])])


def test_edges_that_the_catalogue_does_not_know_take_any_field_but_no_odd_operator(
    wire: MakeWire,
) -> None:
    account = wire(rows()).client.account("1")

    account.edge(
        "broadtargetingcategories", filtering=[condition("anything")], effective_status=["ODD"]
    )
    with pytest.raises(RequestError, match="operator"):
        account.edge("broadtargetingcategories", filtering=[condition("anything", "IS")])


def test_what_we_refuse_can_still_be_sent_as_text(wire: MakeWire) -> None:
    graph = wire(rows())
    text = '[{"field":"new","operator":"NEWER","value":1}]'

    graph.client.account("1").request(edge="ads", filtering=text, effective_status='["NEW"]')
    graph.client.get("act_1/ads", {"filtering": text})

    assert graph.params == [{"filtering": text}]
