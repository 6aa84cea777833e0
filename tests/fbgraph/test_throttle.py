from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.throttle import Usage, usage_of

APP = "x-app-usage"
ACCOUNT = "x-ad-account-usage"
BUC = "x-business-use-case-usage"
INSIGHTS = "x-fb-ads-insights-throttle"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    (
        *("call_count", "total_time", "acc_id_util_pct", "reset_time_duration"),
        *("estimated_time_to_regain_access", "ads_api_access_tier"),
    )
)


@pytest.mark.parametrize(
    ("headers", "usage"),
    [
        ({}, Usage()),
        (
            {APP: '{"call_count":28,"total_time":25,"total_cputime":30}'},
            Usage({APP: 30.0}),
        ),
        (
            {
                ACCOUNT: '{"acc_id_util_pct":9.67,"reset_time_duration":100,'
                '"ads_api_access_tier":"standard_access"}'
            },
            Usage({ACCOUNT: 9.67}, 100.0, "standard_access"),  # seconds
        ),
        (
            {
                BUC: '{"111":[{"type":"ads_insights","call_count":97,"total_cputime":23,'
                '"total_time":23,"estimated_time_to_regain_access":21,'
                '"ads_api_access_tier":"development_access"}]}'
            },
            Usage({BUC: 97.0}, 21 * 60.0, "development_access"),  # minutes
        ),
        (
            {
                INSIGHTS: '{"app_id_util_pct":100,"acc_id_util_pct":10,'
                '"ads_api_access_tier":"standard_access"}'
            },
            Usage({INSIGHTS: 100.0}, None, "standard_access"),
        ),
        (
            {BUC: '{"111":[{"call_count":1},{"call_count":7}],"222":[{"total_time":130}]}'},
            Usage({BUC: 130.0}),  # may pass 100
        ),
        (
            {
                ACCOUNT: '{"acc_id_util_pct":100,"reset_time_duration":182}',
                BUC: '{"111":[{"call_count":5,"estimated_time_to_regain_access":3}]}',
            },
            Usage({ACCOUNT: 100.0, BUC: 5.0}, 182.0),  # the longer wait, in one unit
        ),
    ],
)
def test_the_headers_say_how_much_is_used_and_how_long_to_wait(
    headers: dict[str, str], usage: Usage
) -> None:
    assert usage_of(headers) == usage


def test_the_busiest_share_of_all_headers_counts() -> None:
    headers = {APP: '{"call_count":28}', INSIGHTS: '{"app_id_util_pct":99.5}'}

    assert usage_of(headers).percent == 99.5


def test_names_of_headers_are_read_in_any_case() -> None:
    headers = httpx.Headers({"X-App-Usage": '{"call_count":28}'})

    assert usage_of(headers).percent == 28.0


@pytest.mark.parametrize("name", [APP, ACCOUNT, BUC, INSIGHTS])
@pytest.mark.parametrize(
    "value",
    [
        *("", "null", "true", "12", '"text"', "[]", "{}", "not JSON", "{", "[" * 100_000),
        *('[{"call_count":99}]', '{"call_count":"99"}', '{"call_count":true}'),
        *('{"call_count":null}', '{"call_count":[99]}', '{"call_count":NaN}'),
        *('{"call_count":Infinity}', '{"call_count":1e999}', '{"call_count":1' + "0" * 400 + "}"),
        *('{"111":"text"}', '{"111":[null,"text",3,[]]}', '{"111":{"call_count":{}}}'),
        *('{"estimated_time_to_regain_access":0}', '{"reset_time_duration":-5}'),
        *('{"reset_time_duration":true}', '{"reset_time_duration":1e999}'),
        *('{"reset_time_duration":"60"}', '{"call_count":1}, {"call_count":2}'),
    ],
)
def test_a_header_that_cannot_be_read_is_passed_over(name: str, value: str) -> None:
    assert usage_of({name: value}) == Usage()


def test_an_odd_figure_does_not_hide_a_good_one() -> None:
    headers = {APP: '{"call_count":NaN,"total_time":"80","total_cputime":64}', BUC: "oops"}

    assert usage_of(headers).percent == 64.0


def test_no_share_is_below_nothing() -> None:
    assert usage_of({APP: '{"call_count":-5}'}).percent == 0.0


@given(text=st.text() | JSON.map(json.dumps) | st.dictionaries(KEYS, JSON).map(json.dumps))
def test_any_header_is_read_without_an_error(text: str) -> None:
    usage = usage_of(dict.fromkeys((APP, ACCOUNT, BUC, INSIGHTS), text))

    assert 0.0 <= usage.percent < float("inf")
