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
    """One view: our table, its key, and the columns that only the latest state has. Its columns are
    those of _THEIR_COLUMNS.
    """

    table: str
    key: str
    grain: Sequence[str]
    latest: Sequence[str] = ()


#: View → what it is made of.
_HISTORIES: Final[Mapping[str, _History]] = {
    "account_history": _History(
        *("accounts", "account_id"), ("id", "_fivetran_synced"), ("timezone_offset_hours_utc",)
    ),
    "campaign_history": _History(
        *("campaigns", "campaign_id"), ("id", "updated_time"), ("budget_remaining",)
    ),
    "ad_set_history": _History(
        *("adsets", "adset_id"), ("id", "updated_time"), ("budget_remaining",)
    ),
    "ad_history": _History("ads", "ad_id", ("id", "updated_time")),
    "creative_history": _History("creatives", "creative_id", ("_fivetran_id",)),
}


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

_SPEC_PARTS: Final = ("child_attachments", "caption", "description", "link", "message")
_APPS: Final = ("android", "ios", "ipad", "iphone")

#: The objects whose views have a column, the column, and its SQL; in the order of the views.
_THEIR_COLUMNS: Final[Sequence[tuple[str, tuple[Column, str]]]] = (
    (
        "creative",
        _text(
            "_fivetran_id",
            "md5(concat_ws('|', creative_id, epoch_us(valid_from)))",
            "Key of this state",
        ),
    ),
    ("account", _id("id", "account_id", "Ad account")),
    ("campaign", _id("id", "campaign_id", "Campaign")),
    ("ad_set", _id("id", "adset_id", "Ad set")),
    ("ad", _id("id", "ad_id", "Ad")),
    ("creative", _id("id", "creative_id", "Creative")),
    ("campaign ad_set ad", (_UPDATED, "valid_from")),
    ("campaign ad_set ad creative", _id("account_id", "account_id", "Ad account")),
    ("ad_set ad", _id("campaign_id", "campaign_id", "Campaign that it belongs to")),
    ("ad", _id("ad_set_id", "adset_id", "Ad set that it belongs to")),
    ("ad", _id("creative_id", "creative_id", "Creative that it shows")),
    ("account", _text("name", "account_name", "Name of the account")),
    ("campaign", _text("name", "campaign_name", "Name of the campaign")),
    ("ad_set", _text("name", "adset_name", "Name of the ad set")),
    ("ad", _text("name", "ad_name", "Name of the ad")),
    ("creative", _text("name", "creative_name", "Name in the library")),
    ("account", _text("account_status", "account_status::VARCHAR", "Meta's number: 1 is active")),
    ("account", _text("business_country_code", "business_country", "Country in its address")),
    ("account", _not_loaded("business_state")),
    ("campaign", _text("objective", "objective", "Goal that it is optimised for")),
    ("campaign ad_set ad", _text("status", "status", "What the advertiser set: ACTIVE, PAUSED, …")),
    ("creative", _text("status", "status", "ACTIVE, IN_PROCESS, WITH_ISSUES or DELETED")),
    (
        "campaign ad_set ad",
        _text("effective_status", "effective_status", "The effect of it with its parents"),
    ),
    (
        "ad_set",
        _text("optimization_goal", "optimization_goal", "What delivery is optimised for"),
    ),
    ("ad_set", _text("bid_strategy", "bid_strategy", "How bids are made")),
    ("account campaign ad_set ad", _time("created_time", "created_time", "When it was created")),
    ("campaign ad_set", _time("start_time", "start_time", "When it may start")),
    ("campaign", _time("stop_time", "stop_time", "When it must stop; NULL if never")),
    ("ad_set", _time("end_time", "end_time", "When it must stop; NULL if never")),
    ("account", _text("currency", "account_currency", "Currency of all its money, ISO code")),
    ("account", _text("timezone_name", "account_timezone", "Zone of its days and hours")),
    (
        "account",
        (
            Column(
                *("timezone_offset_hours_utc", "elapsed"),
                "Its clock ahead of UTC; of its latest state alone",
                "hours",
            ),
            "timezone_offset_hours_utc::DOUBLE",
        ),
    ),
    ("account", _coins("min_daily_budget", "Least daily budget that Meta accepts")),
    ("campaign ad_set", _coins("daily_budget", "Budget per day, if set here")),
    ("campaign ad_set", _coins("lifetime_budget", "Budget over the whole run, if set here")),
    (
        "campaign ad_set",
        _coins("budget_remaining", "What is left of it; of its latest state alone"),
    ),
    ("ad", _text("conversion_domain", "conversion_domain", "Site on which conversions happen")),
    ("creative", _text("title", "title", "Title; the first of several")),
    ("creative", _text("body", "body", "Text above or below the picture; the first")),
    (
        "creative",
        _text(
            *("page_link", f"CASE WHEN link IS DISTINCT FROM {_TEMPLATE} THEN link END"),
            "Where a click leads; NULL if that is in template_page_link",
        ),
    ),
    (
        "creative",
        _text("template_page_link", _TEMPLATE, "Where a click on a catalogue ad leads"),
    ),
    ("creative", _text("url_tags", _TAGS, "What Meta adds to the link, as JSON: key, value, type")),
    (
        "creative",
        _text(
            "asset_feed_spec_link_urls",
            "json_extract(asset_feed_spec, '$.link_urls')::VARCHAR",
            "Links that Meta chooses from, as JSON",
        ),
    ),
    *(("creative", _of_spec(part)) for part in _SPEC_PARTS),
    *(("creative", _not_loaded(f"template_app_link_spec_{app}")) for app in _APPS),
)


def object_views(tables: Mapping[str, Table]) -> Iterator[View]:
    """A view for each kind of objects that has its tables among these."""
    for view, one in _HISTORIES.items():
        if {"accounts", one.table, f"{one.table}_history"} <= tables.keys():
            yield _view_of(view, one)


def _view_of(view: str, one: _History) -> View:
    kind = view.removesuffix("_history")
    made = dict(made for kinds, made in _THEIR_COLUMNS if kind in kinds.split())
    made[_SEEN_AT] = "coalesce(valid_to, fetched_at, valid_from)"
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
        view,
        tuple(one.grain),
        f"Every state of {one.table} that was seen, as Fivetran's connector names it.",
        tuple(made),
        f"FROM (FROM main.{one.table}_history LEFT JOIN (FROM main.{one.table} SELECT {latest}) "
        f"USING ({one.key}) {currency}SELECT *{moving}) SELECT {columns}",
    )
