"""What the calls of one account have shown so far."""

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

#: What is tried where the runs of an account fail whatever their size.
_DOUBTFUL = frozenset({Recovery.SPLIT, Recovery.NARROW, Recovery.BISECT_FIELDS})


@dataclass(slots=True)
class AccountState:
    """What is known of an account, and what follows from it for its next calls.

    `is_heard`: a call has come back. `closed`: why nothing of it may be read; empty if it may.
    `is_doubtful`: a query had to be split and nothing was read since; days that failed meanwhile
    are `lost`, by reason. `is_lied_to`: what Meta called too large it delivered when it was asked
    again. `too_old`: what was refused for its age; `is_halving`: halves are asked
    for to find how old is too old.
    """

    is_heard: bool = False
    closed: str = ""
    is_doubtful: bool = False
    is_lied_to: bool = False
    lost: Counter[type[Exception]] = field(default_factory=Counter)
    too_old: TooOld = field(default_factory=TooOld)
    is_halving: bool = False

    def was_created(self, query: ReportQuery) -> None:
        """Meta took a query: if the day before it was refused, how old is too old is known."""
        if self.too_old.ends_before(query.days[0]):
            self.is_halving = False

    def was_read(self) -> None:
        """The rows of a query are in."""
        self.is_doubtful = False
        self.lost.clear()

    def recovers_by(self, recovery: Recovery) -> None:
        """A query failed, and this is done about it."""
        self.is_doubtful |= recovery in _DOUBTFUL
        self.is_halving |= recovery is Recovery.SPLIT_BY_AGE

    def was_lost(self, error: Exception) -> None:
        """A task could not be loaded. An account that is not there, or that the token may not
        read, is asked once; a report run that is not there says nothing of its account.
        """
        self.lost[type(error)] += self.is_doubtful
        is_gone = isinstance(error, NotFoundError) and error.detail.path.startswith("act_")
        if is_gone or isinstance(error, PermissionDeniedError):
            self.closed = str(error)

    def is_hopeless(self, error: Exception) -> bool:
        """Whether enough days were lost for this reason at every size."""
        return self.lost[type(error)] >= LOST_DAYS
