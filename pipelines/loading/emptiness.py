"""When a day that had numbers may become empty, and when emptiness is worth a word. No I/O.

For an hour at a time Meta has responded to everything with ``{"data": []}`` and HTTP 200: rows and
totals alike, so that nothing adds up to nothing. The loaded day is kept until a second load
confirms it, or a person does. A first load has nothing to keep; if all of it is empty, a person is
warned.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from warehouse.schema.periods import Period
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.loading.load_result import Outcome
    from warehouse.lake.defects.failures import Failed
    from warehouse.lake.records import Load

__all__ = [
    "ACCEPT_EMPTY",
    "EMPTY",
    "accepts_empty",
    "is_confirmed",
    "is_nothing",
    "refusal",
    "silence",
    "silent",
]

#: `Outcome.kind` of an account-day that was kept because Meta returned nothing.
EMPTY: Final = "empty"

#: How long after the first empty response a second one counts. Our choice: such an hour has been
#: observed.
CONFIRM_AFTER: Final = timedelta(hours=1)

#: From this number on, account-days without anything are more than chance. Our choice.
_SEVERAL: Final = 2

#: Accounts that are named one by one; of more, their number.
_MOST_NAMED: Final = 3

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


def is_confirmed(old: Load | None, new: Load) -> bool:
    """Whether an earlier load of a day had nothing either, long enough before."""
    if old is None or not is_nothing(old):
        return False
    return (new.asked_at or new.loaded_at) >= old.loaded_at + CONFIRM_AFTER


def silent(outcomes: Iterable[Outcome]) -> Sequence[Load]:
    """The loads of a report, if all that Meta returned for several account-days was nothing: no
    rows and no totals. None if any of it was confirmed: an outage would not explain it.
    """
    loaded = [one for one in outcomes if one.load]
    loads = [one.load for one in loaded if one.load]
    is_sure = any(one.is_sure for one in loaded)
    is_silent = all(is_nothing(load) and not _has_control(load) for load in loads)
    return loads if is_silent and not is_sure and len(loads) >= _SEVERAL else ()


def silence(loads: Sequence[Load], spenders: Mapping[str, str]) -> str:
    """What to say about `silent` loads; "" if no account has ever spent anything, as far as its row
    says. `spenders`: account (digits) → its name, for those that have.
    """
    named = {i: name for i, name in spenders.items() if any(load.account_id == i for load in loads)}
    if not named:
        return ""
    days = sorted({load.date for load in loads})
    asked_at = max(load.asked_at or load.loaded_at for load in loads)
    again = asked_at + CONFIRM_AFTER + timedelta(seconds=59)
    shown = [f"{name} (act_{i})" if name else f"act_{i}" for i, name in named.items()]
    more = [f"{len(shown) - _MOST_NAMED} more"] if len(shown) > _MOST_NAMED else []
    accounts = "".join(f" --account act_{i}" for i in named) if len(named) <= _MOST_NAMED else ""
    command = f"fbinsights backfill --since {days[0]} --until {days[-1]}{accounts}"
    return (
        f"Meta returned no rows and no totals for any of {counted(len(loads), 'account-day')}"
        f" ({days[0]} to {days[-1]}), though accounts among them have spent money:"
        f" {', '.join([*shown[:_MOST_NAMED], *more])}. They are stored as days without delivery. If"
        f" that cannot be right, look again after {_minute(again)}: `{command}`"
    )


def refusal(
    old: Load | None,
    new: Load,
    failed: Failed | None,
    *,
    totals: Load | None = None,
    period: Period = Period.DAY,
) -> str:
    """Why `new` may not replace `old`, or be the first; "" if it may.

    `failed`: the last failure, which knows since when Meta returns nothing. `totals`: those of the
    account, if they are gone as well and existed before.
    """
    if old is not None and _loses_all(old, new):
        kept, kept_at = f"the {counted(old.rows, 'row')}", old.loaded_at
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
        f"Meta returned {_what(new)} for this {period}; {kept} loaded at {_minute(kept_at)} were"
        f" kept. Load it again after {_minute(again)}: if Meta still returns nothing then, the"
        f" {period} becomes empty. If you know"
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
