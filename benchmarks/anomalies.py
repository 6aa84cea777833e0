"""How often the rules about today are wrong, and how soon they find what was planted.

    python -m benchmarks.anomalies

Twenty accounts of the sandbox's company, 90 days after four weeks of history, looked at every full
hour of their clocks at what Meta would have served by then: its billing at once, its reports as
late as `fbgraph/sandbox/insights/settling.py` has it. The world is calmer than advertising is, so
noise is added: days and hours differ by a quarter (standard deviation), a third of the accounts
nearly closes at weekends, another has weekdays of its own, and every four weeks somebody moves a
fifth of the money. Nothing of that is to be told.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from math import exp
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.insights.settling import settling
from fbgraph.sandbox.objects.fields import field_value
from fbgraph.sandbox.world.delivery import Delivery
from fbgraph.sandbox.world.tree import World
from pipelines.watching.open_day import Curve, OpenDay, PastDay, SpentBudget
from pipelines.watching.rules import Kind, concerns_of
from warehouse.decode.money import offset_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fbgraph.sandbox.world.nodes import WorldNode
    from pipelines.watching.rules import Concern

__all__ = ["figures"]

ACCOUNTS: Final = 20
HISTORY: Final = 28
DAYS: Final = 90

#: From here on nothing seasonal begins or ends: sales are planned, and no anomaly.
FIRST: Final = date(2026, 4, 20)
LATER: Final = datetime(2026, 11, 1, tzinfo=UTC)

DAY_NOISE: Final = 0.22
HOUR_NOISE: Final = 0.25
MOVED: Final = 0.2

#: Weekdays of the accounts, in turn: Monday first.
WEEKS: Final = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.45),
    (1.25, 1.0, 0.95, 1.0, 0.85, 0.95, 1.0),
    (1.0,) * 7,
)

#: The share of hours in which a small account spends nothing by chance; it pauses at weekends.
EMPTY_HOURS: Final = 0.01
SATURDAY: Final = 5

#: What is planted, and on which days: on the others the accounts are as they were.
RUNAWAY: Final = 3.0
PLANTED_EVERY: Final = 5
FROM_HOURS: Final = range(9, 21)

#: The least budget of a day, in all currencies here: about a dollar.
LEAST_BUDGET: Final = {"EUR": 1, "USD": 1, "JPY": 150, "INR": 90, "AUD": 1.5, "BRL": 5, "NZD": 1.7}


@dataclass(frozen=True)
class Account:
    """An account: what each of its days spends by hour (`days`), and by hour under each of its
    daily budgets.
    """

    node: WorldNode
    days: Sequence[Sequence[float]]
    budgets: Sequence[tuple[SpentBudget, Sequence[float]]]

    @cached_property
    def past(self) -> Sequence[PastDay]:
        """Every day as it is known later, and as reports had it hour by hour."""
        return [
            PastDay(FIRST + timedelta(days=at), hours, seen=_seen(hours))
            for at, hours in enumerate(self.days)
        ]

    def open_day(self, at: int, hours: Sequence[float], look: int, *, is_new: bool) -> OpenDay:
        """The account at a full hour of a day. `is_new`: no day was looked at while it went on."""
        past = self.past[at - HISTORY : at]
        if is_new:
            past = [replace(one, seen=Curve()) for one in past]
        today, zone = FIRST + timedelta(days=at), str(self.node.zone)
        now = datetime(today.year, today.month, today.day, tzinfo=self.node.zone)
        yesterday = self.days[at - 1]
        before = [-sum(yesterday[hour:]) for hour in range(22, 24)]
        counted = accumulate(hours[:look], initial=0.0)
        return OpenDay(
            account_id=self.node.id,
            name=str(self.node.about.name),
            currency=self.node.about.currency,
            zone=zone,
            today=today,
            now=now.astimezone(UTC) + timedelta(hours=look),
            hours=[h * s for h, s in zip(hours, SHARES[look], strict=True)],
            rows_at=60.0 * look,
            seen=Curve.of(
                [(0.0, 0.0), *((60.0 * n, _known(hours, n)) for n in range(1, look + 1))]
            ),
            counter=Curve.of(
                [(-120.0, before[0]), (-60.0, before[1])]
                + [(60.0 * n, amount) for n, amount in enumerate(counted)]
            ),
            fresh_at=now.astimezone(UTC) + timedelta(hours=look),
            past=past,
            least_budget=LEAST_BUDGET[self.node.about.currency],
            budgets=[
                replace(one, spent=days[at] * sum(hours[:look]) / (sum(self.days[at]) or 1.0))
                for one, days in self.budgets
            ],
        )


def _shares() -> Sequence[Sequence[float]]:
    """By hour of a look, the share of each hour of the day that reports know."""
    midnight = datetime(2026, 7, 6, tzinfo=UTC)
    found = []
    for look in range(25):
        known = settling(midnight + timedelta(hours=look, seconds=-1), UTC)  # type: ignore[arg-type]
        found.append([max(0.0, known(midnight + timedelta(hours=hour))) for hour in range(24)])
    return found


SHARES: Final = _shares()


def _known(hours: Sequence[float], look: int) -> float:
    return sum(h * s for h, s in zip(hours, SHARES[look], strict=True))


def _seen(hours: Sequence[float]) -> Curve:
    return Curve.of([(0.0, 0.0), *((60.0 * look, _known(hours, look)) for look in range(1, 25))])


def accounts() -> Sequence[Account]:
    """The first accounts of the company that spend in these days, with noise."""
    world, delivery = World(1, accounts=ACCOUNTS + 6), Delivery(1)
    found: list[Account] = []
    for node in world.accounts:
        made = _account(delivery, node, WEEKS[len(found) % len(WEEKS)])
        if any(map(sum, made.days)):
            found.append(made)
    return found[:ACCOUNTS]


def _account(delivery: Delivery, node: WorldNode, week: Sequence[float]) -> Account:
    chance = random.Random(f"noise of {node.id}")  # noqa: S311  repeatable numbers, no secret
    minor = offset_of(node.about.currency)
    daily: dict[str, SpentBudget] = {}
    under: dict[str, list[float]] = defaultdict(lambda: [0.0] * (HISTORY + DAYS))
    days, moved = [], 1.0
    for at in range(HISTORY + DAYS):
        day = FIRST + timedelta(days=at)
        if at % 28 == HISTORY // 2:
            moved = chance.choice((1 - MOVED, 1.0, 1 + MOVED))
        noise = moved * week[day.weekday()] * _noise(chance, DAY_NOISE)
        by_hour = [0.0] * 24
        for ad in node.under("ad"):
            holder = _holder(ad)
            for hour, numbers in delivery.table(ad, day, LATER).items():
                spend = numbers.spend / minor * noise
                by_hour[hour or 0] += spend
                if holder:
                    under[holder.id][at] += spend
                    daily[holder.id] = _budget(holder, minor)
        days.append([spend * _noise(chance, HOUR_NOISE) for spend in by_hour])
    return Account(node, days, [(daily[one], under[one]) for one in daily])


def patchy(account: Account) -> Account:
    """The account if it paused at weekends, and spent nothing in some hours."""
    chance = random.Random(f"gaps of {account.node.id}")  # noqa: S311  repeatable, no secret
    days = [
        [
            spend if (FIRST + timedelta(days=at)).weekday() < SATURDAY else 0.0
            for spend in (0.0 if chance.random() < EMPTY_HOURS else spend for spend in hours)
        ]
        for at, hours in enumerate(account.days)
    ]
    return Account(account.node, days, account.budgets)


def _noise(chance: random.Random, deviation: float) -> float:
    return exp(chance.gauss(-(deviation**2) / 2, deviation))


def _holder(ad: WorldNode) -> WorldNode | None:
    """The ad set or campaign that has the daily budget of an ad."""
    levels = (ad.parent, ad.parent and ad.parent.parent)
    return next((one for one in levels if one and field_value(one, "daily_budget", LATER)), None)


def _budget(holder: WorldNode, minor: int) -> SpentBudget:
    amount = float(field_value(holder, "daily_budget", LATER)) / minor
    return SpentBudget(holder.level, holder.id, str(holder.name), 0.0, daily=amount)


def _looks(
    account: Account, at: int, hours: Sequence[float], looks: Sequence[int], *, is_new: bool = False
) -> Iterator[tuple[int, Concern]]:
    """What the rules tell of a day, look by look."""
    for look in looks:
        for concern in concerns_of(account.open_day(at, hours, look, is_new=is_new)):
            yield look, concern


def calm(every: Sequence[Account], *, is_new: bool) -> Mapping[Kind, float]:
    """kind → share of calm account-days of which it was told."""
    told = dict.fromkeys(Kind, 0)
    for account in every:
        for at in range(HISTORY, HISTORY + DAYS):
            looks = _looks(account, at, account.days[at], range(1, 25), is_new=is_new)
            for kind in {concern.kind for _, concern in looks}:
                told[kind] += 1
    return {kind: count / (len(every) * DAYS) for kind, count in told.items()}


def found(
    every: Sequence[Account], kind: Kind, times: float, within: Sequence[int], *, is_new: bool
) -> Sequence[float]:
    """The share of what was planted from a full hour on that is told within hours."""
    chance = random.Random(f"{kind} {times}")  # noqa: S311  repeatable numbers, no secret
    after = []
    for account in every:
        for at in range(HISTORY, HISTORY + DAYS, PLANTED_EVERY):
            if not any(account.days[at]):
                continue
            start = chance.choice(FROM_HOURS)
            hours = [h * times if n >= start else h for n, h in enumerate(account.days[at])]
            looks = range(start + 1, min(start + max(within), 24) + 1)
            told = _looks(account, at, hours, looks, is_new=is_new)
            after.append(next((n - start for n, one in told if one.kind is kind), 99))
    return [sum(hours <= limit for hours in after) / len(after) for limit in within]


def figures() -> Iterator[tuple[str, str, str]]:
    """Lines (what, measured, target)."""
    every = accounts()
    days = f"of {len(every) * DAYS:,} calm account-days"
    for is_new in (False, True):
        when = "in its first four weeks" if is_new else "with four weeks of looks"
        for kind, share in calm(every, is_new=is_new).items():
            yield f"false alarms {kind}, {days}, {when}", f"{share:.2%}", "1 %"
        two, three = found(every, Kind.FAR_AHEAD, RUNAWAY, (2, 3), is_new=is_new)
        yield f"spend x {RUNAWAY:g} found within two hours, {when}", f"{two:.0%}", ""
        yield f"spend x {RUNAWAY:g} found within three hours, {when}", f"{three:.0%}", "70 %"
        [stop] = found(every, Kind.STOPPED, 0.0, (2,), is_new=is_new)
        yield f"a stop found within two hours, {when}", f"{stop:.0%}", "95 %"
    gaps = [patchy(account) for account in every]
    of = "of accounts that pause at weekends and spend nothing in one hour of a hundred"
    yield f"false alarms stopped, {of}", f"{calm(gaps, is_new=True)[Kind.STOPPED]:.2%}", "1 %"
    [stop] = found(gaps, Kind.STOPPED, 0.0, (2,), is_new=True)
    yield f"a stop found within two hours, {of}", f"{stop:.0%}", "95 %"


if __name__ == "__main__":
    for line in figures():
        print("| " + " | ".join(line) + " |", flush=True)
