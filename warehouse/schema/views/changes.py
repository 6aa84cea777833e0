"""The view `changes`: what was changed on each object, what is new and what has vanished, and who
did it.

A history says that something changed between two looks, `activities` who changed it and when. They
are joined where an activity of the same object, or of one above it, is about the same thing and
lies between the two looks. Nothing else is attributed to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warehouse.schema.columns import ACCOUNT_ID, ACCOUNT_NAME, UTC
from warehouse.schema.sql import name
from warehouse.schema.table import Column, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from warehouse.schema.objects.object_table import ObjectTable
    from warehouse.schema.table import Table

__all__ = ["changes", "is_history"]

_STATUS: Final = "_run_status|account_update_status|ad_review_|stop_delivery"
_BUDGET: Final = "_(campaign|ad_set)_budget$"
_TOGGLED: Final = "budget_optimization_toggling|budget_flex_toggle"
_CAP: Final = "spend_cap$|spend_limit$"
_WHEN: Final = "_schedule$|_duration$"

#: Graph field of a column → which types of activities are about it, as a regular expression.
#: Changes of other columns are attributed to nobody. Source: the types of Marketing API v26.0, Ad
#: Activity; many contain a word of another's, such as update_ad_set_budget_scaling_status.
ABOUT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("status", "effective_status", "account_status"), _STATUS),
    "name": "_name$|update_audience$",
    **dict.fromkeys(("daily_budget", "lifetime_budget"), _BUDGET),
    **dict.fromkeys(("budget_rebalance_flag", "last_budget_toggling_time"), _TOGGLED),
    "spend_cap": _CAP,
    **dict.fromkeys(("bid_amount", "bid_strategy", "bid_info", "bid_constraints"), "_bid"),
    "creative": "_creative$",
    "targeting": "_targets?_spec$",
    "optimization_goal": "_optimization_goal$",
    "learning_stage_info": "_learning_stage_",
    **dict.fromkeys(("start_time", "stop_time", "end_time"), _WHEN),
    "rule": "update_audience$",
}

#: Columns that say the same as others, or that never change.
LEFT_OUT: Final = frozenset({"account_id", "configured_status", "created_time", "fetched_at"})

#: Objects that are above others: their activities change the effective status of these too.
ABOVE: Final = ("campaign_id", "adset_id")

#: When an account was first listed; no column of a table can have this name.
_BEGAN: Final = '"first listing"'

#: How names of histories end.
_HISTORY: Final = "_history"

#: Columns that say when an object was created; a table has one of them at most.
CREATED: Final = frozenset({"created_time", "creation_time", "time_created"})

#: Tables that every refresh lists whole: what a later listing lacks has vanished.
LISTED_WHOLE: Final = frozenset({"campaigns", "adsets", "ads"})

COLUMNS: Final = (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    Column("object_type", "text", "campaign, adset, ad, account, creative, image, …"),
    Column("object_id", "id", "The object"),
    Column("object_name", "text", "Its name after the change"),
    Column(
        *("change", "text"),
        "changed; appeared: it was created after the first listing of its account; deleted; "
        "vanished: it is no longer listed and could not be read by its id",
    ),
    Column("column_name", "text", "Which column of its table changed; NULL for the others"),
    Column("old_value", "text", "Its value before, as text"),
    Column("new_value", "text", "Its value after, as text"),
    Column(
        "seen_at", "instant", "When the change was seen, of what vanished: when it was last", UTC
    ),
    Column(
        *("unchanged_since", "instant"),
        "When the value before was seen first; the change was made after that and before seen_at",
        UTC,
    ),
    Column(
        *("event_time", "timestamp"),
        "When it was done, by the latest activity in between that is about it; NULL if there is "
        "none, and then nobody knows who did it either",
        UTC,
    ),
    Column("event_type", "text", "What Meta calls it, such as update_campaign_budget"),
    Column("event_object_id", "id", "What it was done to: the object, or one that it belongs to"),
    Column("actor_id", "id", "Who did it; NULL if nobody is known, or if it was Meta itself"),
    Column("application_name", "text", "What it was done with, such as Ads Manager"),
)


def changes(rows: Iterable[ObjectTable], others: Iterable[Table] = ()) -> View:
    """The view of the histories of these objects, and of `others`: histories of tables of a user's
    own, of which only the columns are known.
    """
    parts = [part for row in rows for part in _parts(row)]
    parts += [_changed(table, _type(table.name.removesuffix(_HISTORY))) for table in others]
    return View(
        "changes",
        ("account_id", "object_type", "object_id", "seen_at", "change", "column_name"),
        "What changed on each object between two looks: column, old and new value, what appeared, "
        "was deleted or vanished, and who did it where an activity says so.",
        COLUMNS,
        _attributed(" UNION ALL BY NAME ".join(f"({part})" for part in parts)),
    )


def is_history(table: Table) -> bool:
    """Whether a table has the states of objects."""
    return table.name.endswith(_HISTORY) and table.grain[-1:] == ("valid_from",)


def _parts(row: ObjectTable) -> Iterator[str]:
    if row.history is not None:
        yield _changed(row.history, _type(row.name), row.deleted)
    if row.name in LISTED_WHOLE:
        yield _vanished(row)


def _type(table: str) -> str:
    return table.removesuffix("s")


def _name(table: Table, object_type: str) -> str:
    """The column with the name of an object, which a table of one's own may call anything."""
    names = [column.name for column in table.columns if column.name.endswith("name")]
    own = next((one for one in (f"{object_type}_name", "name") if one in names), "")
    return name(own) if own else "NULL::VARCHAR"


def _above(table: Table) -> str:
    """Ids of the objects that this one belongs to, as a list."""
    names = [column.name for column in table.columns[1:] if column.name in ABOVE]
    return f"[{', '.join(names)}]::VARCHAR[]"


def _about(column: Column) -> str:
    found = ABOUT.get(column.source.partition(".")[0])
    return "NULL" if found is None else f"'{found}'"


def _appeared(history: Table, deleted: str) -> str:
    """Whether the first state of an object shows that it is newer than the first listing.

    Old objects are first seen later, too: insights and ads mention what no listing has, and it is
    read by id. So it is the time of its creation that counts. Where that is not known, it must be
    first seen an hour after that listing began, because reading by id takes a while.
    """
    names = {column.name: column.kind for column in history.columns}
    created = next(
        (one for one in names if one in CREATED and names[one] in {"timestamp", "epoch"}),
        "NULL::TIMESTAMPTZ",
    )
    appeared = f"coalesce({created} > {_BEGAN}, valid_from > {_BEGAN} + INTERVAL 1 HOUR)"
    if deleted in names:
        appeared += f" AND {deleted} IS DISTINCT FROM 'DELETED'"
    return appeared


def _changed(history: Table, object_type: str, deleted: str = "") -> str:
    """Every change of a column, and the first state of what is newer than the first listing.
    `deleted`: the column that is DELETED for a deleted object, if one is.
    """
    key = history.columns[0].name
    compared = [
        column
        for column in history.columns
        if column.name not in {key, "valid_from", "valid_to", *LEFT_OUT}
    ]
    pairs = ", ".join(
        f"{{'column_name': '{one.name}', 'about': {_about(one)}::VARCHAR, "
        f"'old_value': CAST(lag({name(one.name)}) OVER states AS VARCHAR), "
        f"'new_value': CAST({name(one.name)} AS VARCHAR)}}"
        for one in compared
    )
    first = (
        "{'column_name': NULL::VARCHAR, 'about': 'create', 'old_value': NULL::VARCHAR, "
        "'new_value': NULL::VARCHAR}"
    )
    columns = ", ".join(filter(None, (first, pairs)))
    return (
        f"FROM (FROM {name(history.name)} SELECT account_id, "  # noqa: S608  ours
        f"{name(key)}::VARCHAR AS object_id, "
        f"{_name(history, object_type)} AS object_name, valid_from AS seen_at, "
        f"{_above(history)} AS above, lag(valid_from) OVER states AS unchanged_since, "
        f"min(valid_from) OVER (PARTITION BY account_id) AS {_BEGAN}, "
        f"{_appeared(history, deleted)} AS is_new, "
        f"unnest([{columns}], recursive := true) "
        f"WINDOW states AS (PARTITION BY account_id, {name(key)} ORDER BY valid_from)) "
        f"SELECT account_id, '{object_type}' AS object_type, object_id, object_name, "
        "CASE WHEN column_name IS NULL THEN 'appeared' "
        "WHEN column_name = 'effective_status' AND new_value = 'DELETED' THEN 'deleted' "
        "ELSE 'changed' END AS change, column_name, old_value, new_value, seen_at, "
        "unchanged_since, about, CASE WHEN column_name = 'effective_status' "
        "THEN list_append(above, object_id) ELSE [object_id] END AS subjects "
        "WHERE CASE WHEN column_name IS NULL THEN unchanged_since IS NULL AND is_new "
        "ELSE unchanged_since IS NOT NULL AND old_value IS DISTINCT FROM new_value END"
    )


def _vanished(row: ObjectTable) -> str:
    """What the latest listing of an account lacks, and nobody knows to be deleted.

    A listing takes a while, and some objects are read by id right after it: an hour is allowed.
    """
    object_type = _type(row.name)
    listed = f"max(fetched_at) FILTER (WHERE {row.deleted} IS DISTINCT FROM 'DELETED')"
    return (
        f"FROM {row.name} SELECT account_id, '{object_type}' AS object_type, "  # noqa: S608  ours
        f"{row.key} AS object_id, {_name(row.latest, object_type)} AS object_name, "
        "'vanished' AS change, "
        "NULL::VARCHAR AS column_name, NULL::VARCHAR AS old_value, NULL::VARCHAR AS new_value, "
        f"fetched_at AS seen_at, fetched_at AS unchanged_since, '{_STATUS}' AS about, "
        f"[{row.key}] AS subjects WHERE {row.deleted} IS DISTINCT FROM 'DELETED' "
        f"QUALIFY fetched_at < {listed} OVER (PARTITION BY account_id) - INTERVAL 1 HOUR"
    )


def _attributed(found: str) -> str:
    """Each change once, with the latest activity about it: one that says the same value first."""
    same = (
        "coalesce(try_cast(a.new_value AS DECIMAL(38, 6)) = "
        "try_cast(c.new_value AS DECIMAL(38, 6)), a.new_value = c.new_value, false)"
    )
    is_between = (
        # Times of activities are without their fraction of a second.
        "a.event_time + INTERVAL 1 SECOND > c.unchanged_since "
        "AND (a.event_time <= c.seen_at OR c.change = 'vanished')"
    )
    return (
        f"WITH found AS ({found}), "  # noqa: S608  ours
        "c AS (FROM found SELECT *, row_number() OVER () AS number), "
        "subjects AS (FROM c SELECT number, unnest(subjects) AS subject), "
        "attributed AS (FROM c JOIN subjects USING (number) JOIN activities AS a "
        "ON a.account_id = c.account_id AND a.object_id = subject "
        f"AND CASE WHEN c.unchanged_since IS NULL THEN a.event_time <= c.seen_at ELSE {is_between} "
        "END AND regexp_matches(a.event_type, c.about) "
        "SELECT number, a.event_time, a.event_type, a.object_id AS event_object_id, a.actor_id, "
        "a.application_name QUALIFY row_number() OVER (PARTITION BY number ORDER BY "
        f"{same} DESC, a.event_time DESC, a.activity_id) = 1) "
        "FROM c LEFT JOIN attributed USING (number) "
        "LEFT JOIN (FROM accounts SELECT account_id, account_name) USING (account_id) "
        f"SELECT {', '.join(column.name for column in COLUMNS)}"
    )
