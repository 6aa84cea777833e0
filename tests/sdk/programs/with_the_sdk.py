"""A day with an ad account, written with Meta's facebook-business. `with_fbgraph` is its twin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT = {
    "level": "campaign",
    "time_range": {"since": "2026-11-20", "until": "2026-11-21"},
    "time_increment": 1,
}
REPORT_FIELDS = ["campaign_id", "impressions", "spend", "actions"]


def run(
    url: str, token: str, app_secret: str, picture: Path, sleep: Callable[[float], object]
) -> dict[str, Any]:
    FacebookSession.GRAPH = url
    api = FacebookAdsApi.init(access_token=token, app_secret=app_secret, crash_log=False)
    accounts = list(User("me", api=api).get_ad_accounts(fields=["name", "currency"]))
    account = AdAccount(accounts[0]["id"], api=api)
    return {
        "accounts": [dict(one) for one in accounts],
        "campaigns": campaigns(account),
        "life of a campaign": life_of_a_campaign(account),
        "picture": upload(account, picture),
        "batch": sixty_calls(api, account),
        "insights": [dict(row) for row in account.get_insights(REPORT_FIELDS, dict(REPORT))],
        "report": report(account, sleep),
        "errors": [error_of(Campaign("123", api=api).api_get), error_of(no_time_range(account))],
    }


def campaigns(account: Any) -> tuple[int, list[dict[str, Any]]]:
    cursor = account.get_campaigns(fields=["name", "effective_status"], params={"limit": 500})
    return cursor.total(), [dict(campaign) for campaign in cursor]


def life_of_a_campaign(account: Any) -> list[str]:
    campaign = account.create_campaign(
        fields=[],
        params={
            "name": "Frühling „東“ 🚀",
            "objective": "OUTCOME_TRAFFIC",
            "status": "PAUSED",
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": False,
        },
    )
    seen = [campaign.api_get(fields=["name"])["name"]]
    campaign.api_update(params={"name": "Sommer & more"})
    seen.append(campaign.api_get(fields=["name"])["name"])
    campaign.api_delete()
    return [*seen, campaign.api_get(fields=["effective_status"])["effective_status"]]


def upload(account: Any, picture: Path) -> dict[str, Any]:
    image = account.create_ad_image(params={"filename": str(picture)})
    images = account.get_ad_images(
        fields=["name", "width", "height"], params={"hashes": [image["hash"]]}
    )
    return dict(images[0])


def sixty_calls(api: Any, account: Any) -> list[Any]:
    """Ten times six calls: what each brought, in order."""
    campaign = account.get_campaigns(fields=["name"])[0]
    ad_set = AdSet(campaign.get_ad_sets()[0]["id"], api=api)
    calls: list[Callable[..., Any]] = []
    for turn in range(10):
        calls += [
            partial(account.api_get, fields=["name"]),
            partial(account.get_campaigns, fields=["name"]),
            partial(account.get_insights, params=dict(REPORT)),
            partial(campaign.api_update, params={"name": f"turn {turn} ü&="}),
            partial(ad_set.api_get, fields=["targeting"]),
            partial(Campaign("123", api=api).api_get, fields=["name"]),
        ]
    results: list[Any] = [None] * len(calls)

    def keep(index: int, response: Any) -> None:
        results[index] = response.json()

    def keep_error(index: int, response: Any) -> None:
        error = response.error()
        results[index] = (error.api_error_code(), error.api_error_subcode())

    for start in range(0, len(calls), 50):
        batch = api.new_batch()
        for index, call in enumerate(calls[start : start + 50], start):
            call(batch=batch, success=partial(keep, index), failure=partial(keep_error, index))
        while batch:
            batch = batch.execute()
    return [rows_of(result) for result in results]


def rows_of(result: Any) -> Any:
    return result.get("data", result) if isinstance(result, dict) else result


def report(account: Any, sleep: Callable[[float], object]) -> list[dict[str, Any]]:
    job = account.get_insights_async(fields=REPORT_FIELDS, params=dict(REPORT))
    while True:
        job = job.api_get()
        status = job[AdReportRun.Field.async_status]
        if status == "Job Completed" and job[AdReportRun.Field.async_percent_completion] == 100:
            break
        if status in {"Job Failed", "Job Skipped"}:
            raise RuntimeError(status)
        sleep(5)
    return [dict(row) for row in job.get_insights(params={"limit": 500})]


def no_time_range(account: Any) -> Callable[[], Any]:
    return partial(account.get_insights, params={"time_range": {}})


def error_of(call: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        call()
    except FacebookRequestError as error:
        blamed = [".".join(spec) for spec in error.api_blame_field_specs() or []]
        return error.api_error_code(), error.api_error_subcode(), error.api_error_message(), blamed
    raise AssertionError("It was to fail.")
