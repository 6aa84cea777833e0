"""`AccountState`: what the calls of one account have shown so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fbgraph.errors import NotFoundError, PermissionDeniedError
from fbgraph.reports.ages import TooOld
from fbgraph.reports.recovery import LOST_DAYS, Recovery

if TYPE_CHECKING:
    from fbgraph.reports.query import ReportQuery

__all__ = ["AccountState"]

#: What is tried when the runs of an account fail at every size.
_DOUBTFUL = frozenset({Recovery.SPLIT, Recovery.NARROW, Recovery.BISECT_FIELDS})


@dataclass(slots=True)
class AccountState:
    """What is known about an account, and what follows for its next calls.

    `has_response`: a response has arrived. `closed`: why nothing of it may be read; empty if it
    may. `is_doubtful`: a query had to be split and nothing was read since; days that failed
    meanwhile are `lost`, by reason. `is_lied_to`: Meta delivered on a second request what it had
    called too large. `too_old`: what was refused for its age; `is_halving`: halves are being
    requested to find the age limit.
    """

    has_response: bool = False
    closed: str = ""
    is_doubtful: bool = False
    is_lied_to: bool = False
    lost: Counter[type[Exception]] = field(default_factory=Counter)
    too_old: TooOld = field(default_factory=TooOld)
    is_halving: bool = False

    def was_created(self, query: ReportQuery) -> None:
        """Meta accepted a query: if the day before it was refused, the age limit is known. Ranges
        that are requested as one are not halved.
        """
        if query.until or self.too_old.ends_before(query.days[0]):
            self.is_halving = False

    def was_read(self) -> None:
        """The rows of a query have arrived."""
        self.is_doubtful = False
        self.lost.clear()

    def recovers_by(self, recovery: Recovery) -> None:
        """A query failed; this is how the engine recovers."""
        self.is_doubtful |= recovery in _DOUBTFUL
        self.is_halving |= recovery is Recovery.SPLIT_BY_AGE

    def was_lost(self, error: Exception) -> None:
        """A task could not be loaded. An account that does not exist, or that the token may not
        read, is requested only once; a missing report run says nothing about its account.
        """
        self.lost[type(error)] += self.is_doubtful
        is_gone = isinstance(error, NotFoundError) and error.detail.path.startswith("act_")
        if is_gone or isinstance(error, PermissionDeniedError):
            self.closed = str(error)

    def is_hopeless(self, error: Exception) -> bool:
        """Whether enough days failed for this reason at every size."""
        return self.lost[type(error)] >= LOST_DAYS
