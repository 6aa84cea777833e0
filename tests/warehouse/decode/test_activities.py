"""What an activity says, case by case."""

from __future__ import annotations

import json
from typing import Any

import pytest

from warehouse.decode.activities import described

ACTIVITY = {
    "event_time": "2026-10-09T13:03:57+0000",
    "event_type": "update_campaign_budget",
    "object_id": "120230000000000007",
    "object_type": "CAMPAIGN_GROUP",
}


def money(old: Any, new: Any, currency: Any = "CAD") -> str:
    """As Meta writes a changed budget."""
    amount = {"type": "payment_amount", "currency": currency}
    return json.dumps({
        "old_value": {**amount, "old_value": old, "additional_value": "Daily budget"},
        "new_value": {**amount, "new_value": new},
        "type": "composite_data",
    })  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "old", "new", "currency"),
    [
        (money(15000, 20000), "150", "200", "CAD"),
        (money(15001, 20099), "150.01", "200.99", "CAD"),
        (money(15000, 20000, "JPY"), "15000", "20000", "JPY"),
        # Nothing is guessed: of an unknown currency, or without a whole number, it is what it was.
        (money(15000, 20000, "XTS"), "15000", "20000", None),
        (money("a lot", 20000), "a lot", "200", "CAD"),
        (money(None, 20000), None, "200", "CAD"),
        (money(150.5, 20000), "150.5", "200", "CAD"),
        ('{"old_value":"Active","new_value":"Inactive"}', "Active", "Inactive", None),
        ('{"currency":"EUR","new_value":47450,"type":"payment_amount"}', None, "474.5", "EUR"),
        ('{"old_value":[1,{"a":"ü"}]}', '[1, {"a": "ü"}]', None, None),
        ('{"new_value":{"b":null}}', None, '{"b": null}', None),
        ('{"old_value":true,"new_value":1.10}', "true", "1.10", None),
        ("Herbst, évergreen", None, None, None),
        ("[1, 2]", None, None, None),
        ("", None, None, None),
        (None, None, None, None),
        ({"old_value": "Active"}, None, None, None),
        ("[" * 100_000, None, None, None),
    ],
)  # fmt: skip
def test_what_was_changed_is_read_where_it_is_known_and_kept_where_not(
    extra: Any, old: str | None, new: str | None, currency: str | None
) -> None:
    found = described({**ACTIVITY, "extra_data": extra})

    values = (found["old_value"], found["new_value"], found["currency"])
    assert (*map(amount, values[:2]), values[2]) == (*map(amount, (old, new)), currency)
    assert (found["extra_data"], found["object_level"]) == (extra, "campaign")


def amount(text: str | None) -> str | float | None:
    """150 and 150.00 are the same amount."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def test_activities_that_differ_have_different_ids_and_the_same_one_has_the_same() -> None:
    rows: list[dict[str, Any]] = [
        {**ACTIVITY},
        {**ACTIVITY, "extra_data": None, "actor_id": "1"},
        {**ACTIVITY, "extra_data": '{"a":1}'},
        {**ACTIVITY, "extra_data": '{"a":2}'},
        {**ACTIVITY, "event_time": "2026-10-09T13:03:58+0000"},
        {**ACTIVITY, "extra_data": "\ud83d"},
    ]

    ids = [described(row)["activity_id"] for row in rows]

    assert len(set(ids)) == len(rows)
    assert ids == [described({**row, "object_name": "renamed"})["activity_id"] for row in rows]


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        *(("CAMPAIGN_GROUP", "campaign"), ("CAMPAIGN", "adset"), ("ADGROUP", "ad")),
        *(("ACCOUNT", "account"), ("CUSTOM_AUDIENCE", "custom_audience"), (None, None), (7, None)),
    ],
)
def test_old_names_of_levels_are_translated(kind: Any, level: str | None) -> None:
    assert described({**ACTIVITY, "object_type": kind})["object_level"] == level
