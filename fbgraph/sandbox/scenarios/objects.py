"""Scenarios about accounts and their objects: cells that cannot be read, objects that are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import names, objects, refusing, responses
from fbgraph.sandbox.faults.hooks import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OBJECTS_SCENARIOS"]

OBJECTS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Accounts and their objects
    "odd_objects": Scenario(
        "one in N campaigns, ad sets and ads has an unreadable budget, name and time",
        "reported by a user, 2026: its kind",
        strength=5,
        after=objects.break_cells,
        item=objects.break_cells,
    ),
    "overdone_objects": Scenario(
        "one in N objects of any list nests 450 deep in each of its objects and lists, and has"
        " 5,000 digits in each of its numbers",
        "not documented; JSON allows it",
        strength=5,
        after=objects.overdo,
    ),
    "hostile_names": Scenario(
        "every name begins with a mention of everybody, a control sequence, text that runs"
        " backwards, a line break, a picture and a tag",
        "names are what advertisers write",
        after=names.rename,
    ),
    "lost_objects": Scenario(
        "one in N campaigns, ad sets and ads is null in its list, or has no id there",
        "reported by a user, 2026: its kind",
        strength=5,
        after=objects.lose_objects,
    ),
    "odd_accounts": Scenario(
        "the list of accounts has a null and an account without an id; the name and balance"
        " of the second account are unreadable, the third has a time zone that does not exist",
        "reported by a user, 2026: its kind",
        after=objects.break_accounts,
    ),
    "no_limits": Scenario(
        "campaigns have a cap of 922337203685478, which means none; ad sets end in 1969,"
        " which means never",
        "Campaign reference, spend_cap; reported by a user, 2026",
        after=objects.no_limits,
        item=objects.no_limits,
    ),
    "large_amounts": Scenario(
        "what accounts have spent has 16 digits",
        "reported by a user, 2026",
        after=objects.enlarge_amounts,
    ),
    "unknown_currency": Scenario(
        "the second account has the currency XTS",
        "reported by a user, 2026: its kind",
        after=objects.rename_currency,
    ),
    # What ads are made of
    "spoiled_creatives": Scenario(
        "one in N creatives fails every page that it is on, and itself, with 100/2446211, if"
        " object_story_spec is requested",
        "airbyte #66027",
        strength=7,
        after=objects.spoil_creatives("spoiled_page"),
    ),
    "heavy_creatives": Scenario(
        "one in N creatives is too much by itself: HTTP 500, code 1, reduce the amount of data, if"
        " object_story_spec is requested",
        "airbyte #38025",
        strength=7,
        after=objects.spoil_creatives("reduce_data"),
    ),
    "failing_creatives": Scenario(
        "one in N creatives fails every page that it is on, and itself, with HTTP 500, code 1, an"
        " unknown error, unless nothing but ids is requested",
        "ingestr, facebook_ads: creatives that fail alone are skipped",
        strength=7,
        after=objects.fail_creatives(ids_too=False),
    ),
    "dead_creatives": Scenario(
        "the same, whatever is requested: no cursor leads past one of them",
        "ingestr, facebook_ads: creatives that fail alone are skipped",
        strength=7,
        after=objects.fail_creatives(ids_too=True),
    ),
    "broken_pictures": Scenario(
        "pictures of ads fail: each with HTTP 500 (errors), without a response (hangs), a byte"
        " every 100 ms (slow), or with its second half missing in a response that looks whole"
        " (cut)",
        "not documented; any server of pictures may",
        strength="errors",
        words=frozenset(responses.PICTURES),
        media=responses.break_picture,
    ),
    "retired_fields": Scenario(
        "fields of objects are gone: balance of accounts, buying_type of campaigns, billing_event"
        " of ad sets, object_type of creatives",
        "Graph API changelog: versions retire fields of objects",
        before=refusing.refuse_retired_fields,
    ),
    "forbidden_audiences": Scenario(
        "custom and saved audiences of the second account fail with code N, 200 or 10",
        "Graph API, Handle errors",
        strength=200,
        before=refusing.refuse_audiences,
    ),
    "long_activities": Scenario(
        "activities of more than N days: HTTP 500, code 1, reduce the amount of data, with any"
        " limit",
        "airbyte #12168",
        strength=10,
        before=refusing.refuse_long_activities,
    ),
}
