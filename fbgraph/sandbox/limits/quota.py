"""Quotas that count and block. The figures are a table; time is that of the call.

An ad account has a score that drains away and blocks for a while when it is full; its use cases,
the app's insights and the app's other calls are counted over an hour. Calls into a block on an
hour's count are counted too, so they prolong it. Sources: Marketing API, Rate limiting; Graph API,
Rate limiting; docs/graph-api.md#limits.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.limits.usage import Shares
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.context import RequestContext
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["QUOTAS", "Meter", "Quota", "is_insights", "tight"]


@dataclass(frozen=True, slots=True)
class Quota:
    """The figures of one access tier. Hourly ones are calls; the score is points."""

    tier: str
    score: int
    block_seconds: int
    insights: int
    management: int
    insights_per_ad: int = 400
    management_per_ad: int = 40
    decay_seconds: int = 300
    #: Meta does not publish how much the insights of a whole app may be asked; these are ours.
    app_insights: int = 1_000_000
    app_per_user: int = 200
    users: int = 1


#: tier → figures. Meta's names of tiers in headers are older than those in its documentation.
QUOTAS: Final[Mapping[str, Quota]] = {
    "limited": Quota("development_access", 60, 300, 600, 300, app_insights=20_000),
    "full": Quota("standard_access", 9_000, 60, 190_000, 100_000),
}


def tight(points: int) -> Quota:
    """For tests: so small a score, and hourly figures in proportion, whatever ads there are."""
    return replace(
        QUOTAS["limited"],
        score=points,
        block_seconds=60,
        insights=points * 10,
        management=points * 5,
        insights_per_ad=0,
        management_per_ad=0,
        app_insights=points * 30,
    )


HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)

#: Points of a call that writes; one that reads has 1.
WRITE_POINTS: Final = 3


class Score:
    """Points that drain away evenly. When they pass the limit it blocks for a while."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._points = 0.0
        self._at: datetime | None = None
        self.blocked_until: datetime | None = None

    def used(self, now: datetime) -> float:
        gone = (now - self._at).total_seconds() if self._at else 0.0
        return max(0.0, self._points - gone * self._quota.score / self._quota.decay_seconds)

    def add(self, now: datetime, points: int, most: float) -> None:
        if self.blocked_until and now < self.blocked_until:
            return  # calls into a block do not prolong it
        self._points, self._at = self.used(now) + points, now
        if self._points > most:
            self.blocked_until = now + timedelta(seconds=self._quota.block_seconds)


class LastHour:
    """Calls of the last 60 minutes. It blocks until enough of them are an hour old."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[datetime, int]] = deque()
        self._used = 0
        self.blocked_until: datetime | None = None

    def used(self, now: datetime) -> float:
        while self._minutes and self._minutes[0][0] + HOUR <= now:
            self._used -= self._minutes.popleft()[1]
        return self._used

    def add(self, now: datetime, _: int, most: float) -> None:
        """Every call counts once, whatever its points, and into a block as well."""
        minute = now.replace(second=0, microsecond=0)
        before = self._minutes.pop()[1] if self._minutes and self._minutes[-1][0] == minute else 0
        self._minutes.append((minute, before + 1))
        self._used += 1
        if self.used(now) > most:
            self.blocked_until = self._free_at(most)

    def _free_at(self, most: float) -> datetime:
        """When the next call will fit in."""
        left = self._used
        for minute, calls in self._minutes:
            left -= calls
            if left < most:
                return minute + HOUR
        raise AssertionError  # without its calls nothing is left


def is_insights(request: ServerRequest, context: RequestContext) -> bool:
    """Whether a call belongs to the use case ``ads_insights``; polls of runs do."""
    return context.account is not None and (
        "insights" in request.parts or context.run_id is not None
    )


@dataclass(frozen=True, slots=True)
class QuotaLimit:
    """One quota: which calls it counts, whether for each account, its size, its refusals."""

    counts: Callable[[ServerRequest, RequestContext], bool]
    per_account: bool
    make: Callable[[Quota], Score | LastHour]
    #: The size, by the number of active ads.
    most: Callable[[Quota, int], float]
    #: Lines of `REFUSALS`, one after the other from block to block.
    refusals: tuple[str, ...]


LIMITS: Final[Mapping[str, QuotaLimit]] = {
    "score": QuotaLimit(
        lambda _, context: context.account is not None,
        per_account=True,
        make=Score,
        most=lambda quota, _: quota.score,
        refusals=("throttled_account", "throttled_account_613"),
    ),
    "ads_insights": QuotaLimit(
        is_insights,
        per_account=True,
        make=lambda _: LastHour(),
        most=lambda quota, ads: quota.insights + quota.insights_per_ad * ads,
        refusals=("throttled",),
    ),
    "ads_management": QuotaLimit(
        lambda request, context: context.account is not None and not is_insights(request, context),
        per_account=True,
        make=lambda _: LastHour(),
        most=lambda quota, ads: quota.management + quota.management_per_ad * ads,
        refusals=("throttled_management",),
    ),
    "app_insights": QuotaLimit(
        is_insights,
        per_account=False,
        make=lambda _: LastHour(),
        most=lambda quota, _: quota.app_insights,
        refusals=("throttled_insights",),
    ),
    # Calls about an ad account count in its use cases instead; a batch counts by its items.
    "app": QuotaLimit(
        lambda request, context: context.account is None and bool(request.parts),
        per_account=False,
        make=lambda _: LastHour(),
        most=lambda quota, _: quota.app_per_user * quota.users,
        refusals=("throttled_app",),
    ),
}

#: The key of the whole app, where others are ids of accounts.
APP: Final = "app"


@dataclass(frozen=True, slots=True)
class Use:
    """A limit as it applies to one account, or to the app."""

    limit: QuotaLimit
    key: str
    gauge: Score | LastHour
    most: float

    def percent(self, now: datetime) -> float:
        return round(100 * self.gauge.used(now) / self.most, 2)

    def wait_seconds(self, now: datetime) -> float:
        until = self.gauge.blocked_until
        return max(0.0, (until - now).total_seconds()) if until else 0.0


class Meter:
    """What has been used of a quota, and who called into a block."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._gauges: dict[tuple[str, str], Score | LastHour] = {}
        self._ads: dict[str, tuple[datetime, int]] = {}
        self.forget()

    def forget(self) -> None:
        """Forget who was blocked; what has been used stays used."""
        self._blocks: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._into: Counter[str] = Counter()

    def count(self, request: ServerRequest, context: RequestContext) -> None:
        """Count a call. Raises the refusal of a limit that it passes or that has been passed."""
        points = 1 if request.method == "GET" else WRITE_POINTS
        uses = [
            self._use(name, context) for name, one in LIMITS.items() if one.counts(request, context)
        ]
        into = next((use for use in uses if use.wait_seconds(context.now)), None)
        for use in [into] if into else uses:
            use.gauge.add(context.now, points, use.most)
            if use.wait_seconds(context.now):
                self._blocks[use.key] += into is None
                self._into[use.key] += into is not None
                self._refused[use.key] += 1
                index = (self._blocks[use.key] - 1) % len(use.limit.refusals)
                raise refused(use.limit.refusals[index])

    def _use(self, name: str, context: RequestContext) -> Use:
        limit = LIMITS[name]
        account = context.account if limit.per_account else None
        key = account.id if account else APP
        gauge = self._gauges.setdefault((name, key), limit.make(self.quota))
        ads = self._active_ads(account, context.now) if account else 0
        return Use(limit, key, gauge, limit.most(self.quota, ads))

    def _active_ads(self, account: WorldNode, now: datetime) -> int:
        """Looked up again each minute: it takes a walk through the whole account."""
        at, ads = self._ads.get(account.id, (None, 0))
        if at is None or now - at >= MINUTE:
            ads = sum(ad.effective_status == "ACTIVE" for ad in account.under("ad"))
            self._ads[account.id] = (now, ads)
        return ads

    def shares(self, request: ServerRequest, context: RequestContext) -> Shares:
        """What the headers of a response show of the account, or at least of the app."""
        now = context.now
        app = self._use("app", context).percent(now)
        if context.account is None:
            return Shares(self.quota.tier, app)
        case = "ads_insights" if is_insights(request, context) else "ads_management"
        score, own = self._use("score", context), self._use(case, context)
        return Shares(
            self.quota.tier,
            app,
            account=score.percent(now),
            account_seconds=ceil(score.wait_seconds(now)),
            case=own.percent(now),
            case_minutes=ceil(own.wait_seconds(now) / 60),
            app_insights=self._use("app_insights", context).percent(now),
        )

    def report(self) -> dict[str, Any]:
        """By account, or ``app``: blocks, calls refused, and those of them made into a block."""
        return {
            key: {
                "blocks": self._blocks[key],
                "refused": self._refused[key],
                "into_blocks": self._into[key],
            }
            for key in sorted(self._refused)
        }
