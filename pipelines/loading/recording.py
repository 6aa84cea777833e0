"""What a load of the command line has done, kept until it is reported to Dagster: a command opens
Dagster when all is loaded and published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipelines.loading.load_result import Target
    from pipelines.loading.objects import Listed
    from pipelines.loading.refreshing.changes import ChangedDays
    from pipelines.loading.session import LoadedAccounts, Loads
    from warehouse.published.publish import Published

__all__ = ["Command", "Recording"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command that has loaded: its words, when it began, the machine that it ran on, what
    failed, what is loaded and unproven, and why it stopped halfway, if it did.
    """

    words: str
    began_at: datetime
    host: str
    failed: Mapping[Target, str]
    unproven: Mapping[Target, str]
    stopped: str = ""


@dataclass(slots=True)
class Recording:
    """A recorder that keeps what a load does, in its order, until it is reported. `refreshed`: what
    a refresh found, and the calls that it spent on loading that again.
    """

    steps: list[LoadedAccounts | tuple[str, Sequence[Listed]] | Loads] = field(default_factory=list)
    published: Published | None = None
    refreshed: tuple[ChangedDays, int] | None = None
    command: Command | None = None

    def begins(self, table: str, keys: Sequence[str]) -> None:
        """Nothing is done yet."""

    def accounts_loaded(self, accounts: LoadedAccounts) -> None:
        self.steps.append(accounts)

    def listed(self, table: str, found: Sequence[Listed]) -> None:
        self.steps.append((table, found))

    def loaded(self, loads: Loads) -> None:
        self.steps.append(loads)
