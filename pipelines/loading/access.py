"""Access: how long the token, the API version and what reports request stay valid. No I/O."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fbgraph.catalog.retirements import RETIREMENTS
from fbgraph.catalog.versions import PINNED, living, newest, version_of, why_not
from fbgraph.http.response import integer
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from fbgraph.catalog.retirements import Retirement

__all__ = ["Finding", "due_alerts", "retirements", "token", "version"]

#: (ok, what was checked, what was found or what to do).
Finding = tuple[bool, str, str]

#: A token is to be renewed this many days before its end; a version, or anything else that Meta
#: retires, is to be left.
RENEW_DAYS: Final = 14
END_DAYS: Final = 60

#: Days after which an open finding is reported again.
REMIND_DAYS: Final = 3


def token(response: Mapping[str, Any], now: datetime) -> Finding:
    """Judge a token by what `debug_token` returned; what Meta does not mention counts as fine."""
    if not response.get("is_valid", True):
        return False, "token", "Meta says it is invalid. Create a new one and set FB_ACCESS_TOKEN."
    scopes = response.get("scopes")
    names = [str(scope) for scope in scopes] if isinstance(scopes, list) else None
    if names is not None and not {"ads_read", "ads_management"} & set(names):
        return False, "token", f"lacks the scope ads_read; it has: {', '.join(names) or 'none'}."
    granted = "scopes unknown" if names is None else f"scopes {', '.join(names)}"
    until = integer(response.get("expires_at"))
    if not until:
        expiry = "expiry unknown" if until is None else "never expires"
        return True, "token", f"valid, {expiry}; {granted}"
    days = math.floor((until - now.timestamp()) / (24 * 3600))
    if days >= RENEW_DAYS:
        return True, "token", f"expires in {counted(days, 'day')}; {granted}"
    advice = "Create a new one and set FB_ACCESS_TOKEN."
    return False, "token", f"expires in {counted(days, 'day')}; {granted}. {advice}"


def version(pinned: str, served: str, today: date) -> Finding:
    """Judge the pinned version by its end and by the version that `served` it ("" if unknown)."""
    what = "API version"
    if reason := why_not(pinned, today):
        return False, what, reason
    if served not in ("", pinned):
        message = f"requested {pinned}, but {served} answered."
        return False, what, f"{message} {why_not(served, today) or f'Set FB_API_VERSION={served}.'}"
    known = version_of(pinned)
    end = known.ads_end if known else None
    if end is None:
        latest = newest(today)
        newer = "" if latest in (pinned, PINNED) else f"; {latest} is the newest"
        return True, what, f"{pinned}; Meta has not announced its end{newer}"
    days = (end - today).days
    if days > END_DAYS:
        return True, what, f"{pinned}, served by Meta until {end}"
    when = f"in {counted(days, 'day')}" if days else "today"
    advice = f"Read Meta's changelog, then set FB_API_VERSION={_successor(pinned, today)}."
    return False, what, f"{pinned} ends on {end}, {when}. {advice}"


def _successor(pinned: str, today: date) -> str:
    """The version to set instead: the tested one, unless it is this one or has ended."""
    return PINNED if pinned != PINNED and PINNED in living(today) else newest(today)


def retirements(
    used: Mapping[str, Mapping[str, Collection[str]]],
    today: date,
    rows: Sequence[Retirement] = RETIREMENTS,
) -> Finding:
    """Judge what reports request by what Meta retires; `used`: report → kind → names."""
    what = "retirements"
    near = [row for row in rows if (row.since - today).days <= END_DAYS]
    found = [
        f"{report}: {row.kind}: {row.name} {row.effect} {_from(row.since, today)}"
        f"{f'; use {row.instead}' if row.instead else ''} ({row.source})."
        for report, kinds in used.items()
        for row in near
        if row.name in kinds.get(row.kind, ())
    ]
    if found:
        return False, what, " ".join(found)
    return True, what, f"Meta has announced none within {END_DAYS} days that affect your reports"


def _from(since: date, today: date) -> str:
    return f"since {since}" if since <= today else f"from {since}"


def due_alerts(
    findings: Sequence[Finding], reported: Mapping[str, date], today: date
) -> tuple[Mapping[str, str], Mapping[str, date]]:
    """The findings to report now (what is wrong → the text), and when each was last reported.
    `reported` is what the last call returned; a finding that is fine again is forgotten.
    """
    wrong = {what: message for ok, what, message in findings if not ok}
    again = today - timedelta(days=REMIND_DAYS)
    new = {what: message for what, message in wrong.items() if reported.get(what, again) <= again}
    kept = {what: day for what, day in reported.items() if what in wrong}
    texts = {what: f"{what}: {message}" for what, message in new.items()}
    return texts, {**kept, **dict.fromkeys(new, today)}
