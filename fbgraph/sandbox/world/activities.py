"""What was done to an account's objects, and by whom: made from the world, and by writes to it.

On any day some objects are changed and changed back, so that the history ends at what the objects
are now. Event types: facebook-business 26.0.3, AdActivity.EventType; shapes of `extra_data`: live
bodies in public issues.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.days import dates
from fbgraph.sandbox.world.dice import dice
from fbgraph.sandbox.world.nodes import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = [
    "ACTIVITY_TYPES",
    "CATEGORIES",
    "Activity",
    "Actor",
    "Seeded",
    "created",
    "person",
    "seeded_activities",
    "seeds_of",
    "written",
]

#: level → what activities call it: names of 2013.
ACTIVITY_TYPES: Final[Mapping[str, str]] = {
    "account": "ACCOUNT",
    "campaign": "CAMPAIGN_GROUP",
    "adset": "CAMPAIGN",
    "ad": "ADGROUP",
    "audience": "CUSTOM_AUDIENCE",
}

#: status → its word in activities.
STATUS_WORDS: Final[Mapping[str, str]] = {
    "ACTIVE": "Active",
    "PAUSED": "Inactive",
    "ARCHIVED": "Archived",
    "DELETED": "Deleted",
}
PENDING: Final = "Pending Process"

#: what was done → level → event type.
EVENT_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "create": {
        "campaign": "create_campaign_group",
        "adset": "create_ad_set",
        "ad": "create_ad",
        "audience": "create_audience",
    },
    "status": {
        "campaign": "update_campaign_run_status",
        "adset": "update_ad_set_run_status",
        "ad": "update_ad_run_status",
    },
    "name": {
        "campaign": "update_campaign_name",
        "adset": "update_ad_set_name",
        "ad": "update_ad_friendly_name",
    },
    "budget": {"campaign": "update_campaign_budget", "adset": "update_ad_set_budget"},
    "targeting": {"adset": "update_ad_set_target_spec"},
    "creative": {"ad": "update_ad_creative"},
}

#: event type → the `category` by which it can be asked for.
CATEGORIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(EVENT_TYPES["status"].values(), "STATUS"),
    **dict.fromkeys(EVENT_TYPES["budget"].values(), "BUDGET"),
    **dict.fromkeys(EVENT_TYPES["targeting"].values(), "TARGETING"),
    "ad_account_billing_charge": "BUDGET",
}

#: Fields whose change is a change of the budget, with how `extra_data` calls them.
BUDGET_WORDS: Final[Mapping[str, str]] = {
    "daily_budget": "Daily budget",
    "lifetime_budget": "Lifetime budget",
}

#: One object in this number is changed on a day, on average.
CHANGED_EVERY: Final = 12


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something; an `id` of "" is the system, and then there is no name either."""

    id: str = ""
    name: str = ""
    application_id: str = ""
    application: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """One row. `extra` is JSON as text, other text, or None for a null."""

    at: datetime
    event_type: str
    node: WorldNode
    actor: Actor
    name: str
    extra: str | None = None


SYSTEM: Final = Actor()

#: The people of an account, and what they work with.
PEOPLE: Final = ("Ada Quist", "Bram Ødegård", "Chiyo 田中")
APPLICATIONS: Final = (("119211728144504", "Ads Manager"), ("123456789012345", "A Tool of Ours"))


def person(account: WorldNode, number: int) -> Actor:
    """One of the people of an account, the same for the same number."""
    name = PEOPLE[number % len(PEOPLE)]
    actor_id = f"1002{dice(account.id, name):010}"
    return Actor(actor_id, name, *APPLICATIONS[number % len(APPLICATIONS)])


# --- what the seed did ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seeded:
    """What an object was before anybody wrote to it: writes do not change what the seed did.

    `budget`: by the day, in minor units, if it holds one. `gone`: when it was archived or deleted.
    """

    node: WorldNode
    name: str
    status: str
    budget: int | None
    gone: datetime | None


def seeds_of(account: WorldNode, budget_of: Callable[[WorldNode], str | None]) -> Sequence[Seeded]:
    """The objects of an account as they are now, without those that were made by a call."""
    return [
        Seeded(
            node,
            node.name,
            node.status,
            None if (held := budget_of(node)) is None else int(held),
            node.updated if node.effective_status in HIDDEN else None,
        )
        for level in ("campaign", "adset", "ad")
        for node in account.under(level)
        if node.is_seeded
    ]


def seeded_activities(
    account: WorldNode, seeds: Sequence[Seeded], since: datetime, until: datetime
) -> Iterator[Activity]:
    """What happened from `since` to `until`, both included."""
    found = [*_lives(seeds, since, until), *_days(account, seeds, since, until)]
    yield from (one for one in found if since <= one.at <= until)


def _lives(seeds: Sequence[Seeded], since: datetime, until: datetime) -> Iterator[Activity]:
    """Creation, and the end of what is archived or deleted."""
    for seed in seeds:
        node = seed.node
        if since <= node.created <= until:
            yield from created(node, person(node.account, dice(node.id)), name=seed.name)
        if seed.gone and since <= seed.gone <= until and seed.status in HIDDEN:
            by = person(node.account, dice(node.id, "end"))
            yield from _status(seed, seed.gone, by, "Inactive", STATUS_WORDS[seed.status])


def _days(
    account: WorldNode,
    seeds: Sequence[Seeded],
    since: datetime,
    until: datetime,
) -> Iterator[Activity]:
    for day in dates(since.date(), until.date()):
        facts = (account.id, day)
        yield from _account_day(account, day)
        for number in range(1 + len(seeds) // CHANGED_EVERY):
            seed = seeds[dice(*facts, number) % len(seeds)] if seeds else None
            if seed is not None and _was_there(seed, day):
                yield from _changed(seed, day, number)


def _was_there(seed: Seeded, day: date) -> bool:
    is_gone = seed.gone is not None and seed.gone.date() <= day
    return seed.node.created.date() < day and not is_gone


def _moment(day: date, *facts: object) -> datetime:
    """A second of the working day, early enough for what follows within hours."""
    start = datetime(day.year, day.month, day.day, 7, tzinfo=UTC)
    return start + timedelta(seconds=dice(day, *facts) % 28_800)


def _account_day(account: WorldNode, day: date) -> Iterator[Activity]:
    """What has no text, a text that is not JSON, or no object but the account."""
    at = _moment(day, account.id, "charge")
    charge = {
        "currency": account.about.currency,
        "new_value": account.about.cpm * (20 + dice(account.id, day) % 60),
        "transaction_id": f"{dice(day, account.id, 'transaction')}-{dice(account.id, day)}",
        "type": "payment_amount",
    }
    text = json.dumps(charge)
    yield Activity(at, "ad_account_billing_charge", account, SYSTEM, account.name, text)
    if dice(account.id, day, "images") % 3 == 0:
        by = person(account, dice(account.id, day))
        for name in ("spring.png", "spring-2.png"):  # within the same second
            yield Activity(at, "add_images", account, by, account.name, json.dumps({"name": name}))
    if dice(account.id, day, "label") % 5 == 0:
        by = person(account, dice(account.id, day, "who"))
        yield Activity(at, "update_ad_labels", account, by, account.name, "Herbst, évergreen")


def _changed(seed: Seeded, day: date, number: int) -> Iterator[Activity]:
    """A change, and the change back some hours later."""
    node = seed.node
    at, by = _moment(day, node.id, number), person(node.account, dice(node.id, day, number))
    later = at + timedelta(seconds=1 + dice(node.id, day, "later") % 18_000)
    if seed.budget is not None and number % 2 == 0:
        raised = seed.budget + seed.budget // 5
        yield _budget(seed, at, by, "daily_budget", seed.budget, raised)
        yield _budget(seed, later, by, "daily_budget", raised, seed.budget)
    elif node.level == "ad" and number % 3 == 0:
        yield Activity(at, "ad_review_approved", node, SYSTEM, seed.name)
    elif number % 3 == 1:
        yield from renamed(node, at, by, f"{seed.name} (draft)", seed.name)
    elif seed.status == "ACTIVE":
        yield from _status(seed, at, by, "Active", "Inactive")
        yield from _status(seed, later, by, "Inactive", "Active")


# --- rows, for the seed's doings and for writes -----------------------------------------------


def _of_ad(node: WorldNode) -> dict[str, Any]:
    """Events of ads name their ad set, as a bare number and under its old name."""
    return {"campaign_id": int(node.line["adset"].id)} if node.level == "ad" else {}


def created(node: WorldNode, by: Actor, *, name: str = "") -> Iterator[Activity]:
    """Under the name that it was given then."""
    if kind := EVENT_TYPES["create"].get(node.level):
        extra = _of_ad(node)
        text = json.dumps(extra) if extra else None
        yield Activity(node.created, kind, node, by, name or node.name, text)


def _status(
    of: Seeded | WorldNode, at: datetime, by: Actor, old: str, new: str
) -> Iterator[Activity]:
    """One click gives two rows of the same second, with a state between."""
    node = of.node if isinstance(of, Seeded) else of
    kind = EVENT_TYPES["status"].get(node.level)
    for before, after in ((old, PENDING), (PENDING, new)) if kind else ():
        extra = {"old_value": before, "new_value": after, "type": "run_status", **_of_ad(node)}
        yield Activity(at, str(kind), node, by, of.name, json.dumps(extra))


def renamed(node: WorldNode, at: datetime, by: Actor, old: str, new: str) -> Iterator[Activity]:
    if kind := EVENT_TYPES["name"].get(node.level):
        extra = {"old_value": old, "new_value": new, "type": "name", **_of_ad(node)}
        yield Activity(at, kind, node, by, new, json.dumps(extra))


def _budget(  # noqa: PLR0913, PLR0917  one row
    of: Seeded | WorldNode, at: datetime, by: Actor, field: str, old: int | None, new: int | None
) -> Activity:
    node = of.node if isinstance(of, Seeded) else of
    money = {"type": "payment_amount", "currency": node.about.currency}
    extra = {
        "old_value": {**money, "old_value": old, "additional_value": BUDGET_WORDS[field]},
        "new_value": {**money, "new_value": new, "additional_value": BUDGET_WORDS[field]},
        "type": "composite_data",
    }
    return Activity(at, EVENT_TYPES["budget"][node.level], node, by, of.name, json.dumps(extra))


def written(
    node: WorldNode, at: datetime, by: Actor, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Activity]:
    """What a write has changed: field → value before and after, for those that it names."""
    for field, value in new.items():
        before = old.get(field)
        if value == before:
            continue
        if field == "status":
            words = STATUS_WORDS.get(str(before), str(before)), STATUS_WORDS.get(value, value)
            yield from _status(node, at, by, *words)
        elif field == "name":
            yield from renamed(node, at, by, str(before), value)
        elif field in BUDGET_WORDS and node.level in EVENT_TYPES["budget"]:
            amounts = [None if one is None else int(one) for one in (before, value)]
            yield _budget(node, at, by, field, *amounts)
        elif (kind := EVENT_TYPES.get(field, {}).get(node.level)) is not None:
            extra = {"old_value": before, "new_value": value, "type": field, **_of_ad(node)}
            yield Activity(at, kind, node, by, node.name, json.dumps(extra))
