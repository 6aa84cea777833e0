"""Views in the schema `fivetran` of accounts, campaigns, ad sets, ads and creatives: every state
that was seen, under the names that Fivetran's connector gives them.

Names and types are those that Fivetran's dbt package declares for its sources
(https://github.com/fivetran/dbt_facebook_ads, 1.4.2). Budgets are whole numbers of the currency's
smallest coin, as Graph sends them and Fivetran keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.columns import UTC
from warehouse.schema.currencies import WHOLE_UNITS
from warehouse.schema.sql import duckdb_type, literal, name
from warehouse.schema.table import KINDS, Column, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warehouse.schema.table import Table

__all__ = ["object_views"]

_COIN: Final = "smallest coin of the account's currency"

#: When a state was last seen. It is the time by which Fivetran's package checks freshness, and by
#: which it finds the newest state of accounts and creatives.
_SEEN_AT: Final = Column(
    "_fivetran_synced", "instant", "When this state was last seen by a load", UTC
)
_UPDATED: Final = Column("updated_time", "instant", "When this state was first seen", UTC)


class _History(NamedTuple):
    """One view: our table, its key, the columns that only the latest state has, and what the view
    is made of (column → SQL).
    """

    view: str
    table: str
    key: str
    latest: Sequence[str]
    grain: Sequence[str]
    made: Mapping[Column, str]


def _id(column: str, of: str, meaning: str) -> tuple[Column, str]:
    return Column(column, "number", meaning), f"{of}::BIGINT"


def _text(column: str, sql: str, meaning: str) -> tuple[Column, str]:
    return Column(column, "text", meaning), sql


def _time(column: str, sql: str, meaning: str) -> tuple[Column, str]:
    return Column(column, "timestamp", meaning, UTC), sql


def _coins(column: str, meaning: str) -> tuple[Column, str]:
    """Money in whole coins. Where the currency is not known, the decoder has kept no money."""
    whole = ", ".join(map(literal, sorted(WHOLE_UNITS)))
    coins = f"({column} * CASE WHEN account_currency IN ({whole}) THEN 1 ELSE 100 END)::BIGINT"
    return Column(column, "number", meaning, _COIN), coins


def _of_spec(part: str) -> tuple[Column, str]:
    """A part of the link of the post that a creative is made of."""
    return _text(
        f"object_story_link_data_{part}",
        f"json_extract(object_story_spec, '$.link_data.{part}')::VARCHAR"
        if part == "child_attachments"
        else f"json_extract_string(object_story_spec, '$.link_data.{part}')",
        f"link_data.{part} of its post" + (", as JSON" if part == "child_attachments" else ""),
    )


def _not_loaded(column: str) -> tuple[Column, str]:
    return _text(column, "NULL::VARCHAR", "NULL: fbinsights does not load it")


_TEMPLATE: Final = "json_extract_string(object_story_spec, '$.template_data.link')"

#: `utm_source=fb&utm_medium=paid` → a list of keys and values, as Fivetran keeps it.
_TAGS: Final = (
    "CASE WHEN url_tags <> '' THEN to_json([{'key': split_part(tag, '=', 1), "
    "'value': substr(tag, length(split_part(tag, '=', 1)) + 2), 'type': 'AD'} "
    "FOR tag IN string_split(ltrim(url_tags, '?&'), '&') IF tag <> ''])::VARCHAR END"
)

_APPS: Final = ("android", "ios", "ipad", "iphone")

_HISTORIES: Final[Sequence[_History]] = (
    _History(
        "account_history",
        "accounts",
        "account_id",
        ("timezone_offset_hours_utc",),
        ("id", "_fivetran_synced"),
        dict(
            (
                _id("id", "account_id", "Ad account"),
                _text("name", "account_name", "Name of the account"),
                _text("account_status", "account_status::VARCHAR", "Meta's number: 1 is active"),
                _text("business_country_code", "business_country", "Country in its address"),
                _not_loaded("business_state"),
                _time("created_time", "created_time", "When it was created"),
                _text("currency", "account_currency", "Currency of all its money, ISO code"),
                _text("timezone_name", "account_timezone", "Zone of its days and hours"),
                (
                    Column(
                        "timezone_offset_hours_utc",
                        "elapsed",
                        "Its clock ahead of UTC; of its latest state alone",
                        "hours",
                    ),
                    "timezone_offset_hours_utc::DOUBLE",
                ),
                _coins("min_daily_budget", "Least daily budget that Meta accepts"),
            )
        ),
    ),
    _History(
        "campaign_history",
        "campaigns",
        "campaign_id",
        ("budget_remaining",),
        ("id", "updated_time"),
        dict(
            (
                _id("id", "campaign_id", "Campaign"),
                (_UPDATED, "valid_from"),
                _id("account_id", "account_id", "Ad account"),
                _text("name", "campaign_name", "Name of the campaign"),
                _text("objective", "objective", "Goal that it is optimised for"),
                _text("status", "status", "What the advertiser set: ACTIVE, PAUSED, …"),
                _text("effective_status", "effective_status", "The effect of it with its parents"),
                _time("created_time", "created_time", "When it was created"),
                _time("start_time", "start_time", "When it may start"),
                _time("stop_time", "stop_time", "When it must stop; NULL if never"),
                _coins("daily_budget", "Budget per day, if set here"),
                _coins("lifetime_budget", "Budget over the whole run, if set here"),
                _coins("budget_remaining", "What is left of it; of its latest state alone"),
            )
        ),
    ),
    _History(
        "ad_set_history",
        "adsets",
        "adset_id",
        ("budget_remaining",),
        ("id", "updated_time"),
        dict(
            (
                _id("id", "adset_id", "Ad set"),
                (_UPDATED, "valid_from"),
                _id("account_id", "account_id", "Ad account"),
                _id("campaign_id", "campaign_id", "Campaign that it belongs to"),
                _text("name", "adset_name", "Name of the ad set"),
                _text("status", "status", "What the advertiser set: ACTIVE, PAUSED, …"),
                _text("effective_status", "effective_status", "The effect of it with its parents"),
                _text("optimization_goal", "optimization_goal", "What delivery is optimised for"),
                _text("bid_strategy", "bid_strategy", "How bids are made"),
                _time("created_time", "created_time", "When it was created"),
                _time("start_time", "start_time", "When it may start"),
                _time("end_time", "end_time", "When it must stop; NULL if never"),
                _coins("daily_budget", "Budget per day, if set here"),
                _coins("lifetime_budget", "Budget over the whole run, if set here"),
                _coins("budget_remaining", "What is left of it; of its latest state alone"),
            )
        ),
    ),
    _History(
        "ad_history",
        "ads",
        "ad_id",
        (),
        ("id", "updated_time"),
        dict(
            (
                _id("id", "ad_id", "Ad"),
                (_UPDATED, "valid_from"),
                _id("account_id", "account_id", "Ad account"),
                _id("campaign_id", "campaign_id", "Campaign that it belongs to"),
                _id("ad_set_id", "adset_id", "Ad set that it belongs to"),
                _id("creative_id", "creative_id", "Creative that it shows"),
                _text("name", "ad_name", "Name of the ad"),
                _text("status", "status", "What the advertiser set: ACTIVE, PAUSED, …"),
                _text("effective_status", "effective_status", "The effect of it with its parents"),
                _time("created_time", "created_time", "When it was created"),
                _text("conversion_domain", "conversion_domain", "Site on which conversions happen"),
            )
        ),
    ),
    _History(
        "creative_history",
        "creatives",
        "creative_id",
        (),
        ("_fivetran_id",),
        dict(
            (
                _text(
                    "_fivetran_id",
                    "md5(concat_ws('|', creative_id, epoch_us(valid_from)))",
                    "Key of this state",
                ),
                _id("id", "creative_id", "Creative"),
                _id("account_id", "account_id", "Ad account"),
                _text("name", "creative_name", "Name in the library"),
                _text("status", "status", "ACTIVE, IN_PROCESS, WITH_ISSUES or DELETED"),
                _text("title", "title", "Title; the first of several"),
                _text("body", "body", "Text above or below the picture; the first"),
                _text(
                    *("page_link", f"CASE WHEN link IS DISTINCT FROM {_TEMPLATE} THEN link END"),
                    "Where a click leads; NULL if that is in template_page_link",
                ),
                _text("template_page_link", _TEMPLATE, "Where a click on a catalogue ad leads"),
                _text("url_tags", _TAGS, "What Meta adds to the link, as JSON: key, value, type"),
                _text(
                    "asset_feed_spec_link_urls",
                    "json_extract(asset_feed_spec, '$.link_urls')::VARCHAR",
                    "Links that Meta chooses from, as JSON",
                ),
                *map(_of_spec, ("child_attachments", "caption", "description", "link", "message")),
                *(_not_loaded(f"template_app_link_spec_{app}") for app in _APPS),
            )
        ),
    ),
)


def object_views(tables: Mapping[str, Table]) -> Iterator[View]:
    """A view for each kind of objects that has its tables among these."""
    for one in _HISTORIES:
        if {"accounts", one.table, f"{one.table}_history"} <= tables.keys():
            yield _view_of(one)


def _view_of(one: _History) -> View:
    made = {**one.made, _SEEN_AT: "coalesce(valid_to, fetched_at, valid_from)"}
    columns = ", ".join(
        f"({sql})::{duckdb_type(KINDS[column.kind])} AS {name(column.name)}"
        for column, sql in made.items()
    )
    latest = ", ".join((one.key, "fetched_at", *(f"{c} AS now_{c}" for c in one.latest)))
    # Histories leave out what changes by itself; the latest state alone has it.
    moving = "".join(f", CASE WHEN valid_to IS NULL THEN now_{c} END AS {c}" for c in one.latest)
    currency = (
        ""
        if one.table == "accounts"
        else "LEFT JOIN (FROM main.accounts SELECT account_id, account_currency) "
        "USING (account_id) "
    )
    return View(
        one.view,
        tuple(one.grain),
        f"Every state of {one.table} that was seen, as Fivetran's connector names it.",
        tuple(made),
        f"FROM (FROM main.{one.table}_history LEFT JOIN (FROM main.{one.table} SELECT {latest}) "
        f"USING ({one.key}) {currency}SELECT *{moving}) SELECT {columns}",
    )
