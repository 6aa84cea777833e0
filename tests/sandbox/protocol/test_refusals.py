"""One line for each way to be refused: what was asked, and the code, subcode, status, words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.catalog.fields import HOURLY, insights_fields
from fbgraph.sandbox.insights.breakdowns import REFUSED_CARE

if TYPE_CHECKING:
    from tests.sandbox.conftest import Graph

DAY = '{"since":"2026-11-21","until":"2026-11-21"}'


def condition(field: str, operator: str, value: object) -> str:
    return json.dumps([{"field": field, "operator": operator, "value": value}])


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        (
            "{act}",
            {"fields": "foo"},
            (100, None, 400, "nonexisting field (foo) on node type (AdAc"),
        ),
        ("{act}", {"fields": "name,{"}, (100, None, 400, "balanced braces")),
        ("{act}", {"fields": "owner"}, (200, None, 403, "Requires business_management")),
        ("{act}", {"foo": "1"}, (100, None, 400, "Invalid parameter")),
        ("{act}", {"ids": "1,2"}, (100, None, 500, "The ids query parameter is deprecated")),
        ("", {"ids": "1,2"}, (100, None, 500, "The ids query parameter is deprecated")),
        ("", {}, (100, 33, 400, "Object with ID ''")),
        ("{act}", {"date_format": "U"}, (100, None, 400, "date_format")),
        ("{act}/foo", {}, (2500, None, 400, "Unknown path components: /foo")),
        ("{act}/campaigns/1", {}, (2500, None, 400, "Unknown path components: /campaigns/1")),
        ("{digits}", {}, (100, 33, 400, "does not exist, cannot be loaded due to missing")),
        ("act_1", {}, (100, 33, 400, "Object with ID 'act_1'")),
        ("12345/insights", {}, (100, 33, 400, "Object with ID '12345'")),
        ("nobody", {}, (803, None, 404, "aliases you requested do not exist: nobody")),
        ("{act}/campaigns", {"fields": "foo"}, (100, None, 400, "on node type (Campaign)")),
        ("{act}/ads", {"fields": "campaign{foo}"}, (100, None, 400, "on node type (Campaign)")),
        ("{act}/campaigns", {"limit": "x"}, (100, None, 400, "limit must be an integer")),
        ("{act}/campaigns", {"limit": "0"}, (100, None, 400, "limit must be an integer")),
        ("{act}/campaigns", {"updated_since": "1"}, (100, None, 400, "Invalid parameter")),
        ("{act}/campaigns", {"effective_status": '["X"]'}, (100, None, 400, "must be one of")),
        ("{act}/campaigns", {"effective_status": '["X'}, (100, None, 400, "must be an array")),
        ("{act}/campaigns", {"summary": "insights"}, (100, None, 400, "does not imitate")),
        ("{act}/ads", {"updated_since": "x"}, (100, None, 400, "updated_since must be an integer")),
        ("debug_token", {}, (100, None, 400, "input_token must be a token")),
        ("{act}/campaigns", {"after": "zzz"}, (2642, None, 400, "Invalid cursors values")),
    ],
)
def test_reading_is_refused_as_meta_does(
    graph: Graph, path: str, params: dict[str, str], expected: tuple[Any, ...]
) -> None:
    check(graph, path, params, expected)


def test_what_is_there_but_not_by_this_method_says_so(graph: Graph) -> None:
    run = graph.create(f"{graph.account()}/insights", fields="spend")

    error = graph.delete(run).json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert error["message"].startswith(f"Unsupported delete request. Object with ID '{run}'")


HOUR = {"breakdowns": HOURLY}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"fields": "foo"}, (100, None, 400, "foo is not valid for fields param")),
        ({"fields": "impressions,age_targeting"}, (100, None, 400, "age_targeting is not valid")),
        ({"fields": "wish_bid"}, (100, None, 400, "wish_bid is not valid")),
        ({"foo": "1"}, (100, None, 400, "Invalid parameter")),
        ({"date_format": "U"}, (100, None, 400, "date_format")),
        ({"level": "keyword"}, (100, None, 400, "level must be one of")),
        ({"filtering": "[{"}, (100, None, 400, "filtering must be an array")),
        ({"filtering": "{}"}, (100, None, 400, "filtering must be an array")),
        ({"filtering": '["x"]'}, (100, None, 400, "filtering[0] must be an object")),
        ({"filtering": condition("ad.id", "LIKE", 1)}, (100, None, 400, "[operator] must be one")),
        ({"filtering": condition("ad.colour", "EQUAL", 1)}, (100, None, 400, "ad.colour is not")),
        ({"filtering": condition("pixel.id", "EQUAL", 1)}, (100, None, 400, "pixel.id is not")),
        ({"filtering": condition("ad.id", "IN", 1)}, (100, None, 400, "[value] must be")),
        ({"filtering": condition("ad.id", "EQUAL", {"a": 1})}, (100, None, 400, "[value] must")),
        ({"filtering": condition("ad.name", "TOP", 1)}, (100, None, 400, "does not imitate")),
        ({"filtering": condition("ad.clicks", "GREATER_THAN", "x")}, (100, None, 400, "matching")),
        ({"time_range": "2026-11-21"}, (100, None, 400, "time_range must be a valid JSON")),
        ({"time_range": "{}"}, (100, None, 400, "Invalid parameter")),
        ({"time_range": '{"since":"2026-11-31","until":"2026-12-01"}'}, (100, None, 400, "Inv")),
        ({"time_range": '{"since":"20261101","until":"2026-11-02"}'}, (100, None, 400, "Inva")),
        ({"time_range": '{"since":"2026-11-02","until":"2026-11-01"}'}, (100, None, 400, "Inv")),
        ({"time_range": '{"since":"2023-10-22","until":"2026-11-01"}'}, (3018, None, 400, "37 mo")),
        ({"date_preset": "lifetime"}, (100, None, 400, "date_preset must be one of")),
        ({"time_increment": "91"}, (100, None, 400, "time_increment must be")),
        ({"time_increment": "weekly"}, (100, None, 400, "time_increment must be")),
        ({"breakdowns": "hour"}, (100, None, 400, "breakdowns[0] must be one of")),
        ({"breakdowns": "zip"}, (100, None, 400, "does not imitate the breakdown zip")),
        (
            {"action_breakdowns": "matched_persona_id"},
            (100, None, 400, "not imitate the action breakdown matched_persona_id"),
        ),
        ({"breakdowns": "dma"}, (100, None, 400, "breakdowns[0] must be one of")),
        (
            {"breakdowns": "media_format"},
            (100, None, 400, "Tried accessing nonexisting field (media_format)"),
        ),
        ({"breakdowns": "media_type"}, (100, None, 400, "columns (action_type, media_type) is in")),
        ({"breakdowns": "mmm", "level": "adset"}, (100, None, 400, "Current combination")),
        ({"breakdowns": "place_page_id"}, (100, None, 400, "Current combination")),
        ({"breakdowns": "frequency_value"}, (2, 1504041, 400, "Invalid Breakdowns")),
        ({"fields": "interactive_component_tap"}, (2, 1504041, 500, "temporarily unavailable")),
        ({"fields": "converted_product_value"}, (100, None, 400, "is not valid for fields")),
        ({"fields": "total_postbacks"}, (100, None, 400, "is not valid for fields")),
        ({"breakdowns": "platform_position"}, (100, None, 400, "Current combination")),
        ({"breakdowns": "age,country"}, (100, None, 400, "Current combination")),
        ({"time_ranges": "[]"}, (100, None, 400, "does not imitate the parameter time_ranges")),
        ({"sort": '["a","b"]'}, (100, None, 400, "sort must be")),
        ({"action_attribution_windows": "2d_click"}, (100, None, 400, "windows[0] must be one")),
        ({"summary": "true"}, (100, None, 400, "true is not valid for fields")),
        ({"breakdowns": f"{HOURLY},age"}, (100, None, 400, "Current combination of data breakd")),
        ({**HOUR, "action_breakdowns": "action_device"}, (100, None, 400, "Current combination")),
        (
            {"breakdowns": "age", "action_breakdowns": "action_device"},
            (100, None, 400, "Current combination"),
        ),
        ({**HOUR, "fields": "video_play_actions"}, (2, 1504041, 400, "Invalid Breakdowns")),
        ({**HOUR, "fields": "full_view_reach"}, (2, 1504041, 400, "Invalid Breakdowns")),
    ],
)
def test_insights_are_refused_as_meta_does(
    graph: Graph, params: dict[str, str], expected: tuple[Any, ...]
) -> None:
    check(graph, "{act}/insights", params, expected)


def check(
    graph: Graph, path: str, params: dict[str, str], expected: tuple[int, int | None, int, str]
) -> None:
    code, subcode, status, words = expected
    path = path.format(act=graph.account(), digits=graph.account()[4:])

    response = graph.get(path, **params)

    error = response.json()["error"]
    assert (error["code"], error.get("error_subcode")) == (code, subcode)
    assert response.status_code == status
    assert words in error["message"]
    assert error["fbtrace_id"]


def test_a_report_run_is_refused_at_its_creation(graph: Graph) -> None:
    response = graph.post(f"{graph.account()}/insights", fields="impressions,foo", time_range=DAY)

    assert response.json()["error"]["message"].startswith("(#100) foo is not valid")


def test_the_blamed_parameter_stands_in_error_data_as_json_text(graph: Graph) -> None:
    error = graph.error(f"{graph.account()}/insights", time_range="{}")

    assert json.loads(error["error_data"]) == {"blame_field_specs": [["time_range"]]}


@pytest.mark.parametrize("param", ["pretty", "debug", "use_unified_attribution_setting"])
def test_what_has_no_effect_any_more_is_ignored(graph: Graph, param: str) -> None:
    path = f"{graph.account()}/insights"
    usual = graph.get(path, time_range=DAY)

    assert graph.get(path, time_range=DAY, **{param: "true"}).content == usual.content
    assert b": " not in usual.content.replace(b'": "', b"")


def test_every_field_of_the_catalogue_is_taken_or_refused_by_name(graph: Graph) -> None:
    for name, field in insights_fields().items():
        response = graph.get(f"{graph.account()}/insights", fields=name, time_range=DAY, limit=1)

        refused = field.care in REFUSED_CARE | {"not_of_accounts"}
        assert (response.status_code >= 400) == refused, name
