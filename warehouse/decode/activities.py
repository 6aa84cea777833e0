"""Activities: what was done to an object, by whom, from what to what.

Rows have no id, and what was changed is JSON inside of a text, `extra_data`, whose shape depends on
the event and is documented nowhere. What is not known there is kept as it came; nothing is guessed.
Sources: Ad account, Activities; live bodies in public issues; facebook-business 26.0.3.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from warehouse.decode.money import major_units
from warehouse.decode.values import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OBJECT_TYPES", "described"]

#: What activities call an object → what everything else calls it. Others are in lower case.
OBJECT_TYPES: Final[Mapping[str, str]] = {
    "CAMPAIGN_GROUP": "campaign",
    "CAMPAIGN": "adset",
    "ADGROUP": "ad",
}

#: What tells activities apart. Meta's times are whole seconds, so that more than one may agree in
#: all of these; then what was changed differs.
_IDENTITY: Final = ("object_id", "actor_id", "application_id", "event_time", "event_type")

#: Digits of money that fit into the lake's numbers, as for all other money.
_MOST_DIGITS: Final = 19

#: `type` of money in `extra_data`: its numbers are in minor units.
_MONEY: Final = "payment_amount"


def described(activity: Mapping[str, Any]) -> Mapping[str, Any]:
    """An activity as Graph sent it, with an id and with what its `extra_data` says: `old_value`,
    `new_value` and, where these are money, in major units, their `currency`.
    """
    extra = activity.get("extra_data")
    kind = activity.get("object_type")
    return {
        **activity,
        "activity_id": _id_of(activity),
        "object_level": OBJECT_TYPES.get(kind, kind.lower()) if isinstance(kind, str) else None,
        **_changed(_parsed(extra)),
    }


def _id_of(activity: Mapping[str, Any]) -> str:
    """The same for the same activity: 32 hexadecimal digits."""
    facts = [activity.get(name) for name in (*_IDENTITY, "extra_data")]
    text = json.dumps(facts, sort_keys=True)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _parsed(extra: object) -> Mapping[str, Any]:
    """The object in `extra_data`; an empty one for a text that is not JSON, or not an object."""
    if not isinstance(extra, str):
        return {}
    try:
        found = json.loads(extra, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _changed(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """The two values. Each may be an object of its own that has the value under the same name."""
    old, new = (_unwrapped(extra, name) for name in ("old_value", "new_value"))
    currency = old[1] or new[1]
    return {"old_value": old[0], "new_value": new[0], "currency": currency}


def _unwrapped(extra: Mapping[str, Any], name: str) -> tuple[str | None, str | None]:
    """A value as text, and its currency if it is money that could be read."""
    value: Any = extra.get(name)
    holder = extra
    if isinstance(value, dict) and (name in value or value.get("type") == _MONEY):
        value, holder = value.get(name), value
    if value is None:
        return None, None
    if holder.get("type") == _MONEY and (money := _money(value, holder.get("currency"))):
        return money
    if isinstance(value, str):
        return value, None
    try:
        return json.dumps(value, ensure_ascii=False), None
    except RecursionError:  # `extra_data` has it
        return None, None


def _money(value: object, currency: object) -> tuple[str, str] | None:
    """Major units and their currency; None for what is not a whole number of a known currency."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not text.isascii() or len(digits) > _MOST_DIGITS:
        return None
    try:
        return major_units(text, currency), str(currency)
    except UnreadableError:
        return None
