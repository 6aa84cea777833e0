"""How long the token and the pinned API version will still do. No I/O."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.answers import integer
from fbgraph.versions import END_OF_LIFE, LATEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

__all__ = ["END_DAYS", "REMIND_DAYS", "RENEW_DAYS", "Finding", "to_tell", "token", "version"]

#: (ok, what was looked at, what was found or what to do).
Finding = tuple[bool, str, str]

#: Days before its end from which a token is to be renewed, and a version to be left.
RENEW_DAYS: Final = 14
END_DAYS: Final = 60

#: What is still to do is told again after so many days.
REMIND_DAYS: Final = 3


def token(told: Mapping[str, Any], now: datetime) -> Finding:
    """Judge what Meta says of a token; nothing is held against it that Meta does not say."""
    if not told.get("is_valid", True):
        return False, "token", "Meta calls it invalid. Make a new one: FB_ACCESS_TOKEN."
    scopes = told.get("scopes")
    names = [str(scope) for scope in scopes] if isinstance(scopes, list) else None
    if names is not None and not {"ads_read", "ads_management"} & set(names):
        return False, "token", f"lacks the scope ads_read; it has: {', '.join(names) or 'none'}."
    granted = "scopes unknown" if names is None else f"scopes {', '.join(names)}"
    until = integer(told.get("expires_at"))
    if not until:
        expiry = "expiry unknown" if until is None else "never expires"
        return True, "token", f"valid, {expiry}; {granted}"
    days = math.floor((until - now.timestamp()) / (24 * 3600))
    if days >= RENEW_DAYS:
        return True, "token", f"expires in {days} days; {granted}"
    advice = "Make a new one and put it in FB_ACCESS_TOKEN."
    return False, "token", f"expires in {days} days; {granted}. {advice}"


def version(pinned: str, served: str, today: date) -> Finding:
    """Judge the pinned version by the one that `served` it ("" unknown) and by its end of life."""
    what = "API version"
    if served not in ("", pinned):
        return False, what, f"asked for {pinned}, served {served}: set FB_API_VERSION."
    end = END_OF_LIFE.get(pinned)
    if end is None:
        return True, what, pinned
    days = (end - today).days
    if days >= END_DAYS:
        return True, what, f"{pinned}, which Meta serves until {end}"
    when = f"ends on {end}, in {days} days" if days >= 0 else f"ended on {end}"
    return False, what, f"{pinned} {when}: read Meta's changelog, then set FB_API_VERSION={LATEST}."


def to_tell(
    findings: Sequence[Finding], told: Mapping[str, date], today: date
) -> tuple[Sequence[str], Mapping[str, date]]:
    """What somebody is to be told now, and when each thing was told last; `told` is the last answer
    of this function. What is in order again is forgotten.
    """
    wrong = {what: said for ok, what, said in findings if not ok}
    again = today - timedelta(days=REMIND_DAYS)
    new = {what: said for what, said in wrong.items() if told.get(what, again) <= again}
    kept = {what: day for what, day in told.items() if what in wrong}
    return [f"{what}: {said}" for what, said in new.items()], {**kept, **dict.fromkeys(new, today)}
