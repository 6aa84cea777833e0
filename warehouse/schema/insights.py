"""Tables of insights: by the hour, by the day, and the account's own totals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import (
    ACCOUNT_ID,
    CURRENCY,
    DATE,
    HOURLY,
    MONEY,
    TIMEZONE,
    UTC,
)
from warehouse.schema.records import RUN_ID
from warehouse.schema.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACTION_LISTS",
    "BY_DAY",
    "BY_HOUR",
    "CONTROL_DAILY",
    "HOURS",
    "INSIGHTS_DAILY",
    "INSIGHTS_HOURLY",
    "INTRADAY_TOTALS",
    "LIVE_WINDOWS",
    "OBJECTS",
    "PEOPLE",
    "WINDOWS",
]

#: Columns that may be added up over hours, days and objects.
TRAFFIC: Final = (
    Column("impressions", "count", "Times an ad was on screen"),
    Column("clicks", "count", "All clicks on an ad, wherever they led"),
    Column("spend", "money", "Estimated money spent", MONEY),
)

HOURS: Final = (
    Column(
        *("hour", "hour"),
        "Hour of the account's wall clock, 0 to 23; NULL if Meta sent the row without its hour",
        field=HOURLY,
        breakdown=True,
    ),
    Column("hour_start_utc", "instant", "When that hour starts", UTC, field=""),
    Column(
        *("hour_end_utc", "instant"),
        "When the next hour of the wall clock starts, so that the 24 hours tile the day",
        UTC,
        field="",
    ),
    Column(
        *("hour_seconds", "seconds"),
        "Length of the hour: 3600; 7200 if the clock is put back, 0 if it skips the hour",
        "seconds",
        field="",
    ),
)

#: Lists with one entry per action type. Action types overlap: never add them up.
ACTION_LISTS: Final = (
    Column("actions", "actions", "Actions by type, those on Meta only; types overlap", "count"),
    Column("action_values", "actions", "Value of those actions; types overlap", MONEY),
    Column("conversions", "actions", "Conversions by type, those on Meta only", "count"),
    Column("conversion_values", "actions", "Value of those conversions", MONEY),
    Column("outbound_clicks", "actions", "Clicks that left Meta", "count"),
)

#: The objects of a row, with the names that they had when the day was loaded.
OBJECTS: Final = (
    ACCOUNT_ID,
    Column("campaign_id", "id", "Campaign"),
    Column("adset_id", "id", "Ad set"),
    Column("ad_id", "id", "Ad"),
    Column("campaign_name", "text", "Name of the campaign when the day was loaded"),
    Column("adset_name", "text", "Name of the ad set when the day was loaded"),
    Column("ad_name", "text", "Name of the ad when the day was loaded"),
    Column("objective", "text", "Objective of the campaign, such as OUTCOME_SALES"),
    Column("optimization_goal", "text", "What delivery is optimised for, such as LINK_CLICKS"),
    CURRENCY,
    TIMEZONE,
    DATE,
)

#: More columns that may be added up; not in every report.
MORE_TRAFFIC: Final = (
    Column("social_spend", "money", "Spent on ads shown with social information", MONEY),
    Column("inline_link_clicks", "count", "Clicks on links, in a 1-day click window"),
    Column("inline_post_engagement", "count", "Engagements with the post, in a 1-day click window"),
    Column("full_view_impressions", "count", "Times an ad was seen in full"),
)

INSIGHTS_HOURLY: Final = Table(
    "insights_hourly",
    ("account_id", "ad_id", "date", "hour"),
    "What each ad did in each hour of the account's day. An hour without delivery has no row. "
    "Reach, frequency and actions off Meta do not exist by the hour.",
    (*OBJECTS, *HOURS, *TRAFFIC, *MORE_TRAFFIC, *ACTION_LISTS),
    partitions=("account_id", "date"),
)

#: Attribution windows that are kept next to `value`, which follows each ad set's own setting.
WINDOWS: Final = ("1d_click", "7d_click", "1d_view")

#: People are estimated, and a person who was reached twice counts once: never add them up.
PEOPLE: Final = (
    Column("reach", "count", "People who saw the ad, estimated; do not add up"),
    Column("frequency", "ratio", "Impressions per person reached", "impressions"),
    Column("full_view_reach", "count", "People who saw the ad in full; do not add up"),
    Column("unique_clicks", "count", "People who clicked; do not add up"),
    Column("unique_inline_link_clicks", "count", "People who clicked a link; do not add up"),
)

RANKINGS: Final = (
    Column("quality_ranking", "text", "Perceived quality, among ads for the same audience"),
    Column("engagement_rate_ranking", "text", "Expected engagement, among ads for that audience"),
    Column("conversion_rate_ranking", "text", "Expected conversions, among ads with that goal"),
)


#: Its values are those of recorded bodies: clicks within 7 days, views and engaged views of a day.
ATTRIBUTION_SETTING: Final = Column(
    *("attribution_setting", "text"),
    "Attribution setting of the ad set, which `value` of an action follows: 7d_click, "
    "1d_view_7d_click, 1d_view_7d_click_1d_ev, …; multiple if a row has several ad sets",
)

#: Lists by the day: with what happens off Meta, with people and with video.
DAILY_LISTS: Final = (
    Column("actions", "actions", "Actions by type, on Meta and off; types overlap", "count"),
    Column("action_values", "actions", "Value of those actions; types overlap", MONEY),
    Column("conversions", "actions", "Conversions by type, on Meta and off", "count"),
    Column("conversion_values", "actions", "Value of those conversions", MONEY),
    Column("purchase_roas", "actions", "Value of purchases per unit of spend", "ratio"),
    Column("outbound_clicks", "actions", "Clicks that left Meta", "count"),
    Column("unique_outbound_clicks", "actions", "People who left Meta; do not add up", "count"),
    Column("unique_actions", "actions", "People who acted, by type; do not add up", "count"),
    Column("video_play_actions", "actions", "Videos that began to play", "count"),
    Column("video_thruplay_watched_actions", "actions", "Watched to the end or 15 s", "count"),
    Column("video_30_sec_watched_actions", "actions", "Watched to the end or 30 s", "count"),
    *(
        Column(f"video_p{part}_watched_actions", "actions", f"Watched {part} % of it", "count")
        for part in (25, 50, 75, 95, 100)
    ),
    Column("video_avg_time_watched_actions", "actions", "Time watched per play", "seconds"),
)

#: As the preset `insights_daily` makes it, to the word: tests/pipelines/reports/test_catalog.py.
INSIGHTS_DAILY: Final = Table(
    "insights_daily",
    ("account_id", "ad_id", "date"),
    "What each ad did on each of the account's days, with what hourly reports do not have: people, "
    "actions off Meta, attribution windows, video. A day without delivery has no row.",
    (
        *OBJECTS,
        *TRAFFIC,
        ATTRIBUTION_SETTING,
        *MORE_TRAFFIC,
        *PEOPLE,
        *RANKINGS,
        *(replace(column, windows=WINDOWS) for column in DAILY_LISTS),
    ),
    partitions=("account_id", "date"),
)

#: Attribution windows that still have values: those of the totals, so that reports with any of them
#: can be compared. Source: Meta's post of 2025-10-16; the view windows of 7 and 28 days ended.
LIVE_WINDOWS: Final = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")

CONTROL_DAILY: Final = Table(
    "control_daily",
    ("account_id", "date"),
    "Totals of an account's day, requested separately: they prove the other tables.",
    (
        ACCOUNT_ID,
        DATE,
        CURRENCY,
        *TRAFFIC,
        Column("inline_link_clicks", "count", "Clicks on links, in a 1-day click window"),
        # NULL in files written before they were requested, and where Meta refuses them
        *(replace(column, windows=LIVE_WINDOWS) for column in DAILY_LISTS[:4]),
    ),
    partitions=("account_id", "date"),
)

INTRADAY_TOTALS: Final = Table(
    "intraday_totals",
    ("account_id", "date", "asked_at"),
    "Each account's totals of a day that is not over, every time they were requested: what was "
    "known by when. Rows of one day are not to be added up; the newest says the day so far.",
    (
        ACCOUNT_ID,
        DATE,
        Column("asked_at", "instant", "When they were requested", UTC, field=""),
        Column(
            *("minute", "elapsed"),
            "The same by the account's clock: 870 at 14:30, more than 1440 after the day. An hour "
            "that occurs twice passes at half the speed",
            "minutes of the day",
            field="",
        ),
        *(
            replace(column, meaning=f"{column.meaning}, of the day until then; 0 without delivery")
            for column in TRAFFIC
        ),
        replace(RUN_ID, meaning="Dagster run or command that requested them"),
    ),
    partitions=("account_id", "date"),
)

#: Columns by the field of insights, for reports that have no table here. Lists have no windows.
BY_DAY: Final[Mapping[str, Column]] = {
    column.source: column
    for column in (
        *(*OBJECTS, ATTRIBUTION_SETTING, *TRAFFIC, *MORE_TRAFFIC, *PEOPLE, *RANKINGS),
        *DAILY_LISTS,
    )
    if column.source
}

#: The same by the hour, without actions off Meta.
BY_HOUR: Final[Mapping[str, Column]] = {**BY_DAY, **{c.source: c for c in ACTION_LISTS}}
