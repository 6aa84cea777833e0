"""What was done to an account's objects, and by whom.

Source: Marketing API v26.0, Ad account, Activities; live bodies in public issues.
"""

from __future__ import annotations

from typing import Final

from warehouse.schema.columns import ACCOUNT_ID, UTC
from warehouse.schema.objects.object_table import ObjectTable
from warehouse.schema.table import Column

__all__ = ["ACTIVITIES"]

ACTIVITIES: Final = ObjectTable(
    name="activities",
    meaning="What was done to an account and its objects, when, by whom and with what: one row per "
    "activity that Meta lists. Names of people are not requested.",
    one="an activity",
    edge="activities",
    kind="adactivity",
    columns=(
        Column(
            *("activity_id", "text"),
            "Activity: a hash of what identifies it, for Meta gives it no id",
            field="activity_id",
        ),
        ACCOUNT_ID,
        Column("event_time", "timestamp", "When it was done, to the second", UTC),
        Column("event_type", "text", "What was done, such as update_campaign_budget"),
        Column(
            *("object_type", "text"),
            "What it was done to: account, campaign, adset, ad, …",
            field="object_level",
        ),
        Column(
            *("graph_object_type", "text"),
            "The same in Meta's words of 2013: CAMPAIGN_GROUP is a campaign, CAMPAIGN an ad set, "
            "ADGROUP an ad",
            field="object_type",
        ),
        Column("object_id", "id", "The object it was done to"),
        Column("object_name", "text", "Name of the object at that time"),
        Column(
            *("actor_id", "id"),
            "Who did it: a person, a system user or an app; NULL for Meta itself",
        ),
        Column("application_id", "id", "The app it was done with"),
        Column("application_name", "text", "Name of that app, such as Ads Manager"),
        Column(
            *("old_value", "text"),
            "What it was before, if extra_data says so; money in major units of currency, words "
            "such as Active in the language of the token's user",
        ),
        Column("new_value", "text", "What it was after; as old_value"),
        Column(
            *("currency", "text"), "Currency of old_value and new_value; NULL if they are not money"
        ),
        Column(
            *("extra_data", "text"),
            "All that Meta says about it: mostly JSON, money in it in minor units",
        ),
    ),
    are_events=True,
    has_history=False,
    deleted="",
    is_counted=False,
    is_read_by_id=False,
    is_optional=True,
)
