"""When a day that had numbers may become empty. No I/O.

For an hour at a time Meta has responded to everything with ``{"data": []}`` and HTTP 200: rows and
totals alike, so that nothing adds up to nothing. The loaded day is kept until a second load
confirms it, or a person does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.lake.failures import Failed
    from warehouse.lake.records import Load

__all__ = [
    "ACCEPT_EMPTY",
    "CONFIRM_AFTER",
    "EMPTY",
    "accepts_empty",
    "is_nothing",
    "refusal",
]

#: `Outcome.kind` of an account-day that was kept because Meta returned nothing.
EMPTY: Final = "empty"

#: How long after the first empty response a second one counts. Our choice: such an hour has been
#: observed.
CONFIRM_AFTER: Final = timedelta(hours=1)

#: The tag of a Dagster run that accepts an empty day at once.
ACCEPT_EMPTY: Final = "fbinsights/accept_empty"

_YES: Final = frozenset({"yes", "true", "1"})


def accepts_empty(tags: Mapping[str, str]) -> bool:
    """Whether the tags of a run say that days may become empty without a second look."""
    return tags.get(ACCEPT_EMPTY, "").strip().lower() in _YES


def is_nothing(load: Load) -> bool:
    """Whether a load has no rows, or rows that count nothing."""
    sums = [one for one in (load.impressions, load.clicks, load.spend) if one is not None]
    return not load.rows or bool(sums and not any(sums))


def refusal(
    old: Load | None, new: Load, failed: Failed | None, *, totals: Load | None = None
) -> str:
    """Why `new` may not replace `old`, or be the first; "" if it may.

    `failed`: the last failure, which knows since when Meta returns nothing. `totals`: those of the
    account, if they are gone as well and existed before.
    """
    if old is not None and _loses_all(old, new):
        rows = "row" if old.rows == 1 else "rows"
        kept, kept_at = f"the {old.rows} {rows}", old.loaded_at
    elif totals is not None and is_nothing(new):
        kept, kept_at = "the account's totals", totals.loaded_at
    else:
        return ""
    since = _instant(failed.empty_since) if failed is not None else None
    # What is kept was loaded before the first empty response; if the clock says otherwise, the note
    # is wrong.
    first = max(since or new.loaded_at, kept_at)
    if since is not None and (new.asked_at or new.loaded_at) >= first + CONFIRM_AFTER:
        return ""
    # Rounded up: the named minute is late enough.
    again = first + CONFIRM_AFTER + timedelta(seconds=59)
    return (
        f"Meta returned {_what(new)} for this day; {kept} loaded at {_minute(kept_at)} were kept."
        " Load it again after"
        f" {_minute(again)}: if Meta still returns nothing then, the day becomes empty. If you know"
        f" that it is empty, use --accept-empty (in Dagster: the run tag {ACCEPT_EMPTY}=yes)"
    )


def _loses_all(old: Load, new: Load) -> bool:
    """Whether all rows are gone, or everything that they counted."""
    return bool(old.rows and not new.rows) or (is_nothing(new) and not is_nothing(old))


def _what(load: Load) -> str:
    if load.rows:
        return "rows without impressions, clicks or spend"
    return "no rows, though the account has totals," if _has_control(load) else "no rows"


def _has_control(load: Load) -> bool:
    return any((load.control_impressions, load.control_clicks, load.control_spend))


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _instant(text: str) -> datetime | None:
    """An instant as failures store it; None if there is none, or none that can be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
