from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.limits.usage import Limit, Reading, Usage, retry_after_seconds, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

APP = "x-app-usage"
ACCOUNT = "x-ad-account-usage"
BUC = "x-business-use-case-usage"
INSIGHTS = "x-fb-ads-insights-throttle"
REACH = "x-fb-ads-insights-reach-throttle"

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
    ("headers", "readings"),
    [
        ({}, []),
        (
            {APP: '{"call_count":28,"total_time":25,"total_cputime":30}'},
            [Reading(Limit(), APP, 30.0)],
        ),
        (
            {
                ACCOUNT: '{"acc_id_util_pct":9.67,"reset_time_duration":100,'
                '"ads_api_access_tier":"standard_access"}'
            },
            [Reading(Limit("1"), ACCOUNT, 9.67, 100.0)],  # seconds
        ),
        (
            {
                BUC: '{"111":[{"type":"ads_insights","call_count":97,"total_cputime":23,'
                '"total_time":23,"estimated_time_to_regain_access":21,'
                '"ads_api_access_tier":"development_access"}]}'
            },
            [Reading(Limit("111", "ads_insights"), BUC, 97.0, 21 * 60.0)],  # minutes
        ),
        (
            {INSIGHTS: '{"app_id_util_pct":100,"acc_id_util_pct":10}'},
            [
                Reading(Limit("", "ads_insights"), INSIGHTS, 100.0),
                Reading(Limit("1", "ads_insights"), INSIGHTS, 10.0),
            ],
        ),
        ({REACH: '{"acc_id_util_pct":70}'}, [Reading(Limit("1", "reach"), REACH, 70.0)]),
        (
            {BUC: '{"111":[{"call_count":1},{"call_count":7}],"222":[{"total_time":130}]}'},
            [
                Reading(Limit("111"), BUC, 1.0),
                Reading(Limit("111"), BUC, 7.0),
                Reading(Limit("222"), BUC, 130.0),  # may pass 100
            ],
        ),
    ],
)
def test_each_header_speaks_of_the_limits_of_somebody(
    headers: dict[str, str], readings: list[Reading]
) -> None:
    assert list(usage_of(headers, "1").readings) == readings


def test_the_longest_wait_of_all_headers_counts_in_one_unit() -> None:
    usage = usage_of(
        {
            ACCOUNT: '{"acc_id_util_pct":100,"reset_time_duration":182}',
            BUC: '{"111":[{"call_count":5,"estimated_time_to_regain_access":3}]}',
        }
    )

    assert (usage.regain_seconds(), usage.percent) == (182.0, 100.0)


@pytest.mark.parametrize(("account_id", "seconds"), [("1", 45.0), ("2", 3600.0), ("", 3600.0)])
def test_the_wait_of_another_account_is_not_waited_for(account_id: str, seconds: float) -> None:
    hint = '"estimated_time_to_regain_access"'
    headers = {
        ACCOUNT: '{"acc_id_util_pct":100,"reset_time_duration":45}',
        BUC: f'{{"2":[{{"type":"ads_insights","call_count":100,{hint}:60}}]}}',
    }

    assert usage_of(headers, account_id or "1").regain_seconds(account_id) == seconds


def test_the_tier_is_told_by_any_header() -> None:
    tiers = [
        usage_of({header: text}).access_tier
        for header, text in (
            (ACCOUNT, '{"ads_api_access_tier":"standard_access"}'),
            (BUC, '{"1":[{"ads_api_access_tier":"development_access"}]}'),
            (APP, '{"ads_api_access_tier":3}'),
        )
    ]

    assert tiers == ["standard_access", "development_access", ""]


def test_a_call_whose_account_is_not_known_is_that_of_the_only_one_named() -> None:
    account = '{"acc_id_util_pct":50}'
    one, two = '{"7":[{"call_count":1}]}', '{"7":[{"call_count":1}],"8":[{"call_count":1}]}'

    limits = [
        {r.limit for r in usage_of({ACCOUNT: account, BUC: named}).readings if r.header == ACCOUNT}
        for named in (one, two)
    ]

    assert limits == [{Limit("7")}, {Limit()}]


def test_the_busiest_share_of_all_headers_counts() -> None:
    headers = {APP: '{"call_count":28}', INSIGHTS: '{"app_id_util_pct":99.5}'}

    assert usage_of(headers).percent == 99.5


def test_names_of_headers_are_read_in_any_case() -> None:
    headers = httpx.Headers({"X-App-Usage": '{"call_count":28}'})

    assert usage_of(headers).percent == 28.0


@pytest.mark.parametrize("name", [APP, ACCOUNT, BUC, INSIGHTS, REACH])
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
    usage = usage_of(dict.fromkeys((APP, ACCOUNT, BUC, INSIGHTS, REACH), text))

    assert 0.0 <= usage.percent < float("inf")


NOW = datetime(2026, 11, 29, 14, 0, tzinfo=UTC)
#: A date is compared with the server's clock, which here is an hour behind ours.
BEHIND = "Sun, 29 Nov 2026 13:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 400}, math.inf),
        ({"retry-after": "Sun, 29 Nov 2026 14:02:00 GMT"}, 120.0),
        ({"retry-after": "Sun, 29 Nov 2026 13:02:00 GMT", "date": BEHIND}, 120.0),
        ({"retry-after": "Sun, 29 Nov 2026 14:02:00 GMT", "date": "yesterday"}, 120.0),
        ({"retry-after": "Sun, 29 Nov 2026 13:02:00 GMT"}, None),
        ({"retry-after": "Sun, 29 Nov 99999 13:02:00 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    headers: Mapping[str, str], seconds: float | None
) -> None:
    assert retry_after_seconds(headers, NOW) == seconds
