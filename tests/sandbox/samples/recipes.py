"""How to get each sample from the sandbox: which scenario, and which request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fbgraph.catalog.fields import HOURLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from tests.sandbox.conftest import Graph

DAY = {"since": "2026-11-21", "until": "2026-11-21"}
HOURS: Mapping[str, Any] = {"breakdowns": [HOURLY], "time_increment": 1, "time_range": DAY}


class Seen(NamedTuple):
    """An answer, or an item of a batch."""

    status: int
    body: bytes


class Recipe(NamedTuple):
    """How to get a sample. `make` gets the fields that the sample has."""

    make: Callable[[Graph, str], httpx.Response | Seen]
    scenario: str = ""
    options: Mapping[str, Any] = {}


def get(path: str, scenario: str = "", *, account: int = 0, **params: Any) -> Recipe:
    """One call; ``act`` at the beginning of a path stands for an account."""
    return Recipe(lambda graph, _: graph.get(named(graph, path, account), **params), scenario)


def listed(path: str, **params: Any) -> Recipe:
    """One call that asks for the fields which the sample has."""
    return Recipe(lambda graph, fields: graph.get(named(graph, path), fields=fields, **params))


def named(graph: Graph, path: str, account: int = 0) -> str:
    return path.replace("act", graph.account(account), 1) if path.startswith("act") else path


def polled(times: int, scenario: str = "") -> Recipe:
    """A report run at one of its polls."""

    def make(graph: Graph, fields: str) -> httpx.Response:
        run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)
        return [graph.get(run_id, fields=fields) for _ in range(times)][-1]

    return Recipe(make, scenario, {"run_polls": 5})


def read(polls: int, scenario: str = "") -> Recipe:
    def make(graph: Graph, __: str) -> httpx.Response:
        run_id = graph.create(f"{graph.account()}/insights", time_range=DAY)
        for _ in range(polls):
            graph.get(run_id)
        return graph.get(f"{run_id}/insights")

    return Recipe(make, scenario)


def bare(path: str, **params: str) -> Recipe:
    """A call that sends no token of its own."""
    return Recipe(lambda graph, _: graph.bare.get(f"/v26.0/{named(graph, path)}", params=params))


def page(path: str, number: int, **params: Any) -> Recipe:
    """The page of that number, from 0, with the fields which the sample has."""

    def make(graph: Graph, fields: str) -> httpx.Response:
        answer = graph.get(named(graph, path), fields=fields, **params)
        for _ in range(number):
            after = answer.json()["paging"]["cursors"]["after"]
            answer = graph.get(named(graph, path), fields=fields, after=after, **params)
        return answer

    return Recipe(make)


def batch(scenario: str = "", **params: Any) -> Recipe:
    items = [{"method": "GET", "relative_url": "me"}] * 4
    return Recipe(lambda graph, _: graph.post("", batch=items, **params), scenario)


def first_item(scenario: str) -> Recipe:
    def make(graph: Graph, _: str) -> Seen:
        (item,) = graph.post("", batch=[{"method": "GET", "relative_url": "me"}]).json()
        return Seen(item["code"], item["body"].encode())

    return Recipe(make, scenario)


def second_of_me(graph: Graph, _: str) -> httpx.Response:
    return [graph.get("me") for _ in range(2)][-1]


def create(graph: Graph, _: str) -> httpx.Response:
    return graph.post(f"{graph.account()}/insights", time_range=DAY)


def deep(graph: Graph, _: str) -> httpx.Response:
    path = f"{graph.account()}/insights"
    last = graph.get(path, time_range=DAY).json()["paging"]["cursors"]["after"]
    return graph.get(path, time_range=DAY, after=last)


def blame_as_object(graph: Graph, _: str) -> httpx.Response:
    answers = [graph.get(f"{graph.account()}/insights", time_range={}) for _ in range(14)]
    found = [a for a in answers if isinstance(a.json()["error"], dict)]
    return next(
        a
        for a in found
        if isinstance(a.json()["error"].get("error_data"), dict)
        and a.json()["error"]["code"] == 100
    )


CAMPAIGN = {
    "name": "New",
    "objective": "OUTCOME_TRAFFIC",
    "status": "PAUSED",
    "special_ad_categories": [],
    "lifetime_budget": "100000",
    "stop_time": "2026-12-24T00:00:00+0100",
}


def make_campaign(graph: Graph, _: str = "") -> httpx.Response:
    return graph.post(f"{graph.account()}/campaigns", **CAMPAIGN)


def accounts(limit: int, number: int = 0) -> Recipe:
    """A page of accounts, for a token that may read what costs rights of its own."""

    def make(graph: Graph, fields: str) -> httpx.Response:
        token = graph.sandbox.make_token(("ads_read", "business_management", "advertise"))
        params = {"fields": fields, "limit": str(limit), "access_token": token}
        answer = graph.bare.get("/v26.0/me/adaccounts", params=params)
        for _ in range(number):
            params["after"] = answer.json()["paging"]["cursors"]["after"]
            answer = graph.bare.get("/v26.0/me/adaccounts", params=params)
        return answer

    return Recipe(make)


def without_scope(graph: Graph, _: str) -> httpx.Response:
    params = {"access_token": graph.sandbox.make_token(("email",))}
    return graph.bare.get(f"/v26.0/{graph.account()}", params=params)


def campaigns(limit: int, number: int) -> Recipe:
    """A page of a list that two campaigns of their own budget have been added to."""

    def make(graph: Graph, fields: str) -> httpx.Response | Seen:
        for _ in range(2):
            make_campaign(graph)
        return page("act/campaigns", number, limit=limit, summary="true").make(graph, fields)

    return Recipe(make)


def change_campaign(graph: Graph, _: str) -> httpx.Response:
    return graph.post(make_campaign(graph).json()["id"], name="Newer")


def delete_campaign(graph: Graph, _: str) -> httpx.Response:
    made = make_campaign(graph).json()["id"]
    return graph.bare.delete(f"/v26.0/{made}", headers=graph.bearer)


def upload(graph: Graph, _: str) -> httpx.Response:
    path = f"/v26.0/{graph.account()}/adimages"
    files = {"banner.png": ("banner.png", b"x")}
    return graph.bare.post(path, files=files, headers=graph.bearer)


NOTHING = [{"field": "impressions", "operator": "GREATER_THAN", "value": 10**12}]
IDLE = [{"field": "impressions", "operator": "LESS_THAN", "value": 1}]
DELETED = ["ACTIVE", "DELETED"]

RECIPES: Mapping[str, Recipe] = {
    "adaccounts_page": accounts(limit=3),
    "adaccounts_page_last": accounts(limit=4, number=1),
    "adimages_upload": Recipe(upload),
    "async_completed": polled(5),
    "async_create": Recipe(create),
    "async_failed": polled(5, "run_too_long:0"),
    "async_failed_generic": polled(5, "run_fails_once"),
    "async_failed_legacy": polled(5, "run_fails_silently"),
    "async_not_started": polled(1),
    "async_running": polled(3),
    "async_running_100": polled(5, "run_stuck_at_100"),
    "async_skipped": polled(5, "run_skipped_once"),
    "async_started": polled(2),
    "batch_response": batch("batch_null:2"),
    "batch_response_no_headers": batch(include_headers="false"),
    "body_empty_500": get("me", "empty_500:1"),
    "body_html_500": Recipe(second_of_me, "html:1"),
    "body_service_unavailable_200": get("me", "service_unavailable:1"),
    "campaigns_empty": get(
        "act/campaigns", filtering=[{"field": "id", "operator": "EQUAL", "value": "1"}]
    ),
    "campaigns_page_last_with_summary": campaigns(limit=6, number=1),
    "campaigns_page_no_summary": listed("act/campaigns"),
    "campaigns_page_short_with_next": Recipe(
        lambda graph, _: page("act/campaigns", 1, limit=2).make(graph, "id"), "endless_pages"
    ),
    "campaigns_page_with_summary": campaigns(limit=6, number=0),
    "error_100_1487534_too_much_data": get("act/insights", "too_much_data:0"),
    "error_100_1504018_sync_timeout": get("act/insights", "sync_times_out:0"),
    "error_100_1815001_deleted": get("act/campaigns", effective_status=DELETED),
    "error_100_3191001_permission": get("act/insights", "forbidden_insights", account=1),
    "error_100_33_unsupported_get": get("1202100000009999"),
    "error_100_blame_field_dict": Recipe(blame_as_object, "odd_errors:7"),
    "error_100_blame_field_specs_str": get("act/insights", time_range={"since": "2026-11-21"}),
    "error_100_breakdown_combo": get("act/insights", breakdowns=[HOURLY, "country"]),
    "error_100_cannot_include_summary": read(2, "spurious_summary"),
    "error_100_ids_removed": get("", ids="1,2"),
    "error_100_invalid_field_insights": get("act/insights", fields="unique_impressions"),
    "error_100_nonexisting_field": get("act/campaigns", fields="foo"),
    "error_100_proof_invalid": Recipe(
        lambda graph, _: graph.get("me", appsecret_proof="0" * 64), options={"app_secret": "s"}
    ),
    "error_100_proof_missing": Recipe(
        lambda graph, _: graph.get("me"), options={"app_secret": "s"}
    ),
    "error_102_session": get("me", "session_invalid"),
    "error_104_no_token": bare("act/campaigns"),
    "error_10_permission": get("act/campaigns", "forbidden_app", account=1),
    "error_17_2446079_account": get("act", "throttled_account:1"),
    "error_190_458_app_not_installed": get("me", "app_not_installed"),
    "error_190_460_password": get("me", "password_changed"),
    "error_190_463_expired": get("me", "expired_token"),
    "error_190_invalid": bare("me", access_token="x"),  # noqa: S106  a token that is none
    "error_190_malformed": bare("me", access_token="EAAx"),  # noqa: S106  the same
    "error_1_2853001_profile": get("me", "always:not_linked"),
    "error_1_99_unknown": get("me", "unknown_error:1"),
    "error_1_reduce_data": get("act/campaigns", "limit_too_high:1", limit=2),
    "error_200_permission": get("act", "forbidden_account", account=1),
    "error_2500_no_active_token": bare("me"),
    "error_2500_unknown_path": get("act/foo"),
    "error_2601_1815107_not_ready": read(0),
    "error_2635_version": get("act", "expired_version"),
    "error_2642_cursor": Recipe(deep),
    "error_294_not_allowlisted": Recipe(without_scope),
    "error_2_1504041_invalid_breakdowns": get("act/insights", fields="video_play_actions", **HOURS),
    "error_2_1504043_intermittent": get("me", "intermittent:1"),
    "error_2_service_unavailable": get("me", "unavailable:1"),
    "error_3018_37_months": get(
        "act/insights", time_range={"since": "2020-01-01", "until": "2020-01-01"}
    ),
    "error_32_page": get("me", "throttled_page:1"),
    "error_341_limit": get("me", "throttled_application:1"),
    "error_368_blocked": get("me", "blocked"),
    "error_4_1504022_insights": get("act/insights", "throttled_insights:1"),
    "error_4_app_limit": get("me", "throttled_app:1"),
    "error_613_1487742": get("act", "throttled_account_613:1"),
    "error_613_custom": get("act", "throttled_custom:1"),
    "error_613_custom_metrics": Recipe(create, "throttled_metrics:1"),
    "error_80000_buc_insights": get("act", "throttled:1"),
    "error_80004_buc_mgmt": get("act", "throttled_management:1"),
    "error_803_alias": get("foo"),
    "error_960_batch_timeout": first_item("batch_timed_out:1"),
    "error_after_beyond_max": get("me", "always:cursor_too_deep"),
    "insights_daily_page": listed("act/insights", level="ad", time_range=DAY, limit=500),
    "insights_default_summary": listed("act/insights", default_summary="true", time_range=DAY),
    "insights_empty": get("act/insights", time_range=DAY, filtering=NOTHING),
    "insights_hourly_page": listed("act/insights", level="campaign", limit=20, **HOURS),
    "insights_hourly_page_missing_key": listed(
        "act/insights", level="ad", filtering=IDLE, limit=500, **HOURS
    ),
    "insights_hourly_page_with_windows": listed(
        "act/insights",
        level="campaign",
        action_attribution_windows=["7d_click", "1d_view"],
        limit=500,
        **HOURS,
    ),
    "write_create": Recipe(make_campaign),
    "write_delete": Recipe(delete_campaign),
    "write_update": Recipe(change_campaign),
}
