"""Why an account-day differs: decided from values alone.

A reason is exact if what it says turns one side's numbers into the other's, all that both have.
Everything else is a hint: a fact that may have to do with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from warehouse.schema.verdicts import PROVEN, UNPROVABLE
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

__all__ = ["FACTS", "Difference", "Fact", "Reason", "Sums", "differs", "reasons_for"]

#: Numbers by role, as `names.ROLE_COLUMNS` has them; one that is not known is missing.
Sums = dict[str, Decimal]


#: Whose numbers a fact is about, and how it changes them: takes them off, or puts others in their
#: place.
_OURS, _THEIRS = "ours", "theirs"
_LESS, _INSTEAD = "less", "instead"

#: Kind of fact → whose numbers it changes, how, and what that explains. They may turn one side's
#: numbers into the other's; of several, the first that does counts.
FACTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "archived": (_OURS, _LESS, "archived and deleted ads are missing there"),
    "missing_rows": (_OURS, _LESS, "rows of {detail} are missing there"),
    "no_hour": (_OURS, _LESS, "rows that Meta sent without an hour are missing there"),
    "repeated": (_THEIRS, _INSTEAD, "the same rows are there more than once"),
    "versions": (_THEIRS, _INSTEAD, "earlier versions of rows are still there"),
    "vanished": (_THEIRS, _LESS, "rows of {detail} are there that are not here"),
    "totals": (_OURS, _INSTEAD, "it equals Meta's own totals, to which ours does not add up"),
    "restated": (_OURS, _INSTEAD, "it is what Meta said before a change seen on {detail}"),
    "before_end": (_OURS, _INSTEAD, "it is what Meta had counted by {detail}"),
    "zone": (_OURS, _INSTEAD, "days there are those of {detail}, not of the account"),
    "shifted": (_OURS, _INSTEAD, "it has the numbers of the day {detail}"),
}

#: How often everything may be there, such as by a join.
_TIMES: Final = range(2, 25)

#: Factor of spend → its unit.
_UNITS: Final = {100: "cents", 1_000_000: "millionths"}

#: Decimals to which spend may be rounded.
_PLACES: Final = (2, 1, 0)

#: Role of clicks → the other, which a column may have instead, and what that is.
_CLICKS: Final = {
    "clicks": ("link_clicks", "clicks there are those on links"),
    "link_clicks": ("clicks", "link clicks there are all clicks"),
}

#: What Meta attributes to a day for weeks after it.
_ATTRIBUTED: Final = "purchases"

#: Loads that are less apart than this are of the same state, as a rule.
_APART: Final = timedelta(days=1)


class Fact(NamedTuple):
    """Numbers of an account-day that may explain it; `kind` is one of FACTS."""

    kind: str
    sums: Sums
    detail: str = ""


class Reason(NamedTuple):
    """`kind` is for programs and for counting; `text` for people."""

    kind: str
    text: str
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """An account-day, with all that is known about it. `here` and `there` are None where there is
    no such day; `is_account_here` and `is_account_there`: whether any other day of it is.
    `purchases`: ours in other ways, by what they are. `over_at`: when the day was over.
    """

    account_id: str
    day: date
    here: Sums | None
    there: Sums | None
    is_account_here: bool = True
    is_account_there: bool = True
    currency: str | None = None
    their_currencies: Sequence[str] = ()
    verdict: str | None = None
    loaded_here: datetime | None = None
    loaded_there: datetime | None = None
    over_at: datetime | None = None
    facts: Sequence[Fact] = ()
    purchases: Sequence[tuple[str, Decimal]] = ()

    @property
    def other_currencies(self) -> Sequence[str]:
        """Their currencies that are not the account's, so that money is not compared."""
        return [one for one in self.their_currencies if self.currency and one != self.currency]


def differs(one: Difference) -> bool:
    """Whether any number that both have is not the same. A day without a row is one without
    delivery.
    """
    if one.other_currencies:
        return True
    here, there = one.here or {}, one.there or {}
    if one.here is None or one.there is None:
        return any((here | there).values())
    return any(here[role] != there[role] for role in here.keys() & there.keys())


def reasons_for(one: Difference) -> Sequence[Reason]:
    """What explains exactly that it differs, or else what may; nothing if nothing is known."""
    if apart := _apart(one):
        return [apart]
    partly: Sequence[Reason] = ()
    for reasons in _explanations(one):
        if all(reason.is_exact for reason in reasons):
            return reasons
        partly = partly or reasons
    if partly:
        return partly
    if one.there is None:
        return [Reason("day_not_there", "there is no row of the day")]
    return [*_hints(one)]


def _apart(one: Difference) -> Reason | None:
    """Why there is nothing to compare with."""
    if one.other_currencies:
        money = ", ".join(one.other_currencies)
        return Reason("currency", f"spend there is in {money}, here in {one.currency}")
    if one.here is None and not one.is_account_here:
        return Reason("account_not_here", "the account is not loaded here")
    if one.here is None:
        return Reason("day_not_here", "the day is not loaded here")
    if one.there is None and not one.is_account_there:
        return Reason("account_not_there", "the account is not there")
    return None


def _explanations(one: Difference) -> Iterator[Sequence[Reason]]:
    """Those that turn one side into the other, simplest first: with no fact, one, or one of each
    side.
    """
    here, there, facts = one.here or {}, one.there, one.facts
    if there is None:  # as if all were 0, which only ads that are left out may explain
        there, facts = dict.fromkeys(here, Decimal()), [f for f in facts if f.kind == "archived"]
    nothing: tuple[Reason, ...] = ()
    ours = [(nothing, here), *_changed(facts, here, _OURS)]
    theirs = [(nothing, there), *_changed(facts, there, _THEIRS), *_divided(there)]
    pairs = [(a + b, expected, found) for a, expected in ours for b, found in theirs]
    for of_rows, expected, found in sorted(pairs, key=lambda pair: len(pair[0])):
        of_columns = _as_columns(one, expected, found)
        if of_columns is not None:
            yield [*of_rows, *of_columns]


def _changed(
    facts: Sequence[Fact], numbers: Sums, side: str
) -> Iterator[tuple[tuple[Reason, ...], Sums]]:
    """The numbers of a side as each fact about it has them."""
    order = [*FACTS]
    for fact in sorted(facts, key=lambda fact: order.index(fact.kind)):
        whose, how, text = FACTS[fact.kind]
        if whose == side:
            less = {k: v - fact.sums[k] for k, v in numbers.items() if k in fact.sums}
            made = less if how == _LESS else fact.sums
            if any(made[role] != numbers[role] for role in made.keys() & numbers.keys()):
                yield (Reason(fact.kind, text.format(detail=fact.detail)),), made


def _divided(there: Sums) -> Iterator[tuple[tuple[Reason, ...], Sums]]:
    for n in _TIMES:
        reason = Reason("repeated", f"every number there is ours times {n}")
        yield (reason,), {role: number / n for role, number in there.items()}


def _as_columns(one: Difference, expected: Sums, found: Sums) -> Sequence[Reason] | None:
    """Which columns mean something else, if that is all that differs: none of them, if all are
    equal; None if a number remains that nothing explains. Purchases may remain.
    """
    common = [role for role in found if role in expected]
    if not common or (common == [_ATTRIBUTED] and len(found) > 1):
        return None
    reasons = []
    for role in (role for role in common if expected[role] != found[role]):
        reason = _reason_of(one, role, expected, found)
        if reason is None:
            return None
        reasons.append(reason)
    if missing := [role for role in found if role in (one.here or {}) and role not in expected]:
        text = f"{', '.join(missing)} of then is not known"
        reasons.append(Reason("not_kept", text, is_exact=False))
    return reasons


def _reason_of(one: Difference, role: str, expected: Sums, found: Sums) -> Reason | None:
    """Why a column differs, as far as something explains it."""
    ways = _ways(one, role, expected) if found[role] else ()  # 0 may mean anything
    reason = next((reason for reason, number in ways if number == found[role]), None)
    if reason is None and role == _ATTRIBUTED and len(found) > 1:
        text = "purchases by another window, type or time of load"
        return Reason(_ATTRIBUTED, text, is_exact=False)
    return reason


def _ways(one: Difference, role: str, expected: Sums) -> Iterator[tuple[Reason, Decimal]]:
    """What a column may have instead."""
    value = expected[role]
    if role == "spend":
        for factor, unit in _UNITS.items():
            yield Reason("unit", f"spend there is in {unit}"), value * factor
        for places in _PLACES:
            text = f"spend there is rounded to {counted(places, 'decimal')}"
            yield Reason("rounded", text), round(value, places)
    if role in _CLICKS and (other := _CLICKS[role])[0] in expected:
        yield Reason("other_clicks", other[1]), expected[other[0]]
    if role == _ATTRIBUTED:
        for what, number in one.purchases:
            yield Reason("attribution", f"purchases there are {what}"), number


def _hints(one: Difference) -> Iterator[Reason]:
    """Facts that may have to do with it."""
    if one.verdict not in {PROVEN, UNPROVABLE}:
        text = f"our load is {one.verdict}: load it again first"
        yield Reason("unproven", text, is_exact=False)
    for fact in one.facts:
        if fact.kind in {"missing_rows", "vanished"}:
            text = FACTS[fact.kind][2].format(detail=fact.detail)
            yield Reason(fact.kind, f"{text}, which is not all of it", is_exact=False)
    if one.loaded_there and one.over_at and one.loaded_there < one.over_at:
        text = "it was loaded there before the day was over"
        yield Reason("before_end", text, is_exact=False)
    elif one.loaded_there and one.loaded_here and one.loaded_there < one.loaded_here - _APART:
        days = (one.loaded_here - one.loaded_there).days
        text = f"it was loaded there {counted(days, 'day')} before here; Meta may have changed it"
        yield Reason("restated", text, is_exact=False)
