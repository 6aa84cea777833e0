"""Where in the world a call leads: the account and the report run that its path names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from fbgraph.sandbox.world.nodes import Node
    from fbgraph.sandbox.world.tree import World

__all__ = ["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """What a call is about: `account` is None where it names none, as in ``me/adaccounts``."""

    world: World
    account: Node | None
    now: datetime
    run_id: str | None = None

    def is_account(self, index: int) -> bool:
        """Whether it is about the account with this index in the listing."""
        accounts = self.world.accounts
        return index < len(accounts) and self.account is accounts[index]
