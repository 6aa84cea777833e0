"""Features of insights that an account must enable first: is it why a day has no rows?

Since 2026-08-06 some breakdowns are empty, without an error, until an account enables a feature;
from then on they have numbers of all days, or of those since a date. The settings are read where
they are needed, once for each account and run, from the host that everything else is read from;
nothing is ever enabled. Meta's page has them on a host of their own, to which the token is not
sent: what cannot be read is unknown, and the reason says so.

Source: Marketing API, Feature Settings API, 2026-09-19; Out-of-cycle changes 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fbgraph import act_id
from fbgraph.catalog.breakdowns import FEATURE_SETTINGS_EDGE, FEATURES_PAGE
from fbgraph.errors import GraphError, StoppedError
from pipelines.loading.emptiness import ACCEPT_EMPTY
from warehouse.lake.proof.reconcile import Verdict
from warehouse.schema.verdicts import PROVISIONAL, UNPROVABLE
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from fbgraph import GraphClient
    from warehouse.lake.records import Load

__all__ = [
    "Explanation",
    "FeatureSettings",
    "Features",
    "explained",
    "kept_without_feature",
    "with_explanation",
]

#: `status` of a feature → whether it is enabled.
_ENABLED: Final[Mapping[str, bool]] = {"enabled": True, "disabled": False}

#: After this number of failures in a row no more accounts are asked: the host may not have the
#: settings at all. Our choice.
_MOST_FAILURES: Final = 3


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of an account's features. `enabled`: feature → the first day with rows, None
    for all days. `unknown`: why the rest is not known ("" if all is): of all features, or of some
    by name in `unread`.
    """

    read_on: date
    enabled: Mapping[str, date | None]
    unread: Mapping[str, str]
    unknown: str = ""

    @classmethod
    def of(cls, rows: Iterable[Any], read_on: date) -> Features:
        """From the rows that Meta returned. What was never enabled is not among them."""
        enabled: dict[str, date | None] = {}
        unread: dict[str, str] = {}
        seen: dict[str, Any] = {}
        for row in rows:
            name = row.get("feature_name") if isinstance(row, dict) else None
            if not isinstance(name, str):
                return cls(read_on, {}, {}, f"an entry has no feature_name: {row!r:.80}")
            if seen.setdefault(name, row) != row:
                unread[name] = "two entries about it differ"
            status, since = str(row.get("status")).lower(), row.get("insights_effective_date")
            if status not in _ENABLED:
                unread[name] = f"its status is {row.get('status')!r:.40}"
            elif _ENABLED[status]:
                try:
                    enabled[name] = None if since is None else date.fromisoformat(since)
                except (TypeError, ValueError):
                    unread[name] = f"its insights_effective_date is {since!r:.40}"
        return cls(read_on, enabled, unread)


class Explanation(NamedTuple):
    """Why a day has no rows, in words, and whether that explains it: None if it is not known."""

    reason: str
    explains: bool | None


def explained(feature: str, features: Features, day: date) -> Explanation:
    """Whether an account's features explain that a day has no rows by a breakdown that needs one of
    them, though the account delivered.
    """
    read = f"(read on {features.read_on})"
    if why := features.unknown or features.unread.get(feature, ""):
        return Explanation(
            f"it is not known whether the account has enabled the feature {feature}, without which"
            f" Meta returns none: {why.rstrip('.')}; see {FEATURES_PAGE}",
            explains=None,
        )
    if feature not in features.enabled:
        return Explanation(
            f"the account has not enabled the feature {feature} {read}; see {FEATURES_PAGE}",
            explains=True,
        )
    since = features.enabled[feature]
    if since is not None and day < since:
        return Explanation(
            f"the account has the feature {feature} enabled since {since}, days before have none"
            f" {read}",
            explains=True,
        )
    return Explanation(
        f"the account has enabled the feature {feature} {read}, which takes Meta up to 24 hours",
        explains=False,
    )


def with_explanation(verdict: Verdict, no_rows: Explanation | None) -> Verdict:
    """The verdict of a day without rows: what a missing feature explains cannot be proven, and
    asking again changes nothing.
    """
    if no_rows is None:
        return verdict
    reason = f"no rows, though the account delivered: {no_rows.reason}"
    if no_rows.explains and verdict.verdict != PROVISIONAL:
        return Verdict(UNPROVABLE, reason)
    may_change = verdict.may_change and not no_rows.explains
    reason = "; ".join(filter(None, (verdict.reason, reason)))
    return replace(verdict, reason=reason, may_change=may_change)


def kept_without_feature(old: Load, no_rows: Explanation) -> str:
    """That the rows of an earlier load were kept."""
    loaded_at = f"{old.loaded_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return (
        f"Meta returned no rows, though the account delivered: {no_rows.reason}. The"
        f" {counted(old.rows, 'row')} loaded at {loaded_at} were kept; --accept-empty (in Dagster:"
        f" the run tag {ACCEPT_EMPTY}=yes) would drop them"
    )


class FeatureSettings:
    """Reads what accounts have enabled, when it is first needed, once for each account."""

    def __init__(self, client: GraphClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._known: dict[str, Features] = {}
        self._failures = 0
        self._lock = Lock()

    def of(self, account_id: str) -> Features:
        """The features of an account (digits). If they are refused or cannot be read they are
        unknown: no account-day may fail because of that.
        """
        with self._lock:
            if account_id not in self._known:
                self._known[account_id] = self._read(account_id)
            return self._known[account_id]

    def _read(self, account_id: str) -> Features:
        today = self._now().date()
        if self._failures >= _MOST_FAILURES:
            why = f"reading the settings of {_MOST_FAILURES} accounts before failed"
            return Features(today, {}, {}, why)
        edge = self._client.node(act_id(account_id)).edge(FEATURE_SETTINGS_EDGE)
        try:
            found = Features.of(edge, today)
        except StoppedError:
            raise
        except GraphError as error:
            self._failures += 1
            return Features(today, {}, {}, str(error))
        self._failures = 0
        return found
