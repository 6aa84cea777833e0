"""What a request is about: the account and the report run that its path names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from fbgraph.sandbox.world.nodes import WorldNode
    from fbgraph.sandbox.world.tree import World

__all__ = ["RequestContext"]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`account` is None where the request names none, as in ``me/adaccounts``."""

    world: World
    account: WorldNode | None
    now: datetime
    run_id: str | None = None

    def is_account(self, index: int) -> bool:
        """Whether it is about the account with this index in the listing."""
        accounts = self.world.accounts
        return index < len(accounts) and self.account is accounts[index]
