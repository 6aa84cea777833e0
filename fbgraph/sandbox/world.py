"""The seeded accounts and their objects, and which status each one is in.

A world holds no numbers: `delivery` computes those. Statuses are as of now and never change; what
an ad delivers does not depend on when its status was set, so archived and deleted ads have
delivery on recent days too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from fbgraph.sandbox import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fbgraph.sandbox.plan import AccountPlan

__all__ = ["HIDDEN", "Node", "Part", "World", "effective_status"]

T = TypeVar("T")

#: What lists leave out unless asked. Source: Marketing API, Object status guide.
HIDDEN: Final = frozenset({"ARCHIVED", "DELETED"})

#: parent's level → what its pause makes of a running child.
PAUSED_BY: Final[Mapping[str, str]] = {"campaign": "CAMPAIGN_PAUSED", "adset": "ADSET_PAUSED"}

#: Objects were created in this span, long before the 37 months that insights reach back.
FIRST_CREATED: Final = datetime(2020, 3, 2, 8, tzinfo=UTC)
CREATED_WITHIN: Final = timedelta(days=700)
UPDATED_WITHIN: Final = timedelta(days=2100)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An ad account, campaign, ad set or ad. `level` is its name as a level of insights.

    `line` leads from the account down to the node itself, by level.
    """

    level: str
    id: str  # digits, without act_
    name: str
    status: str
    effective_status: str
    about: AccountPlan
    created: datetime
    updated: datetime
    line: Mapping[str, Node] = field(repr=False)
    children: list[Node] = field(default_factory=list, repr=False)
    #: objective of a campaign, optimization goal of an ad set.
    purpose: str = ""

    @property
    def account(self) -> Node:
        return self.line["account"]

    @property
    def parent(self) -> Node | None:
        above = list(self.line.values())[:-1]
        return above[-1] if above else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.about.zone)

    def under(self, level: str) -> Iterator[Node]:
        """Every node of `level` in this subtree, itself included, in the order of creation."""
        if self.level == level:
            yield self
        for child in self.children:
            yield from child.under(level)


@dataclass(frozen=True, slots=True)
class Part:
    """What the plan says of one object. `review` is Meta's word on it, where there is one."""

    level: str
    name: str
    status: str = "ACTIVE"
    review: str | None = None
    purpose: str = ""


class World:
    """Accounts made from `seed`. `accounts` and `scale` (ads in each ad set, times) size it."""

    def __init__(
        self, seed: int = 1, *, accounts: int = len(plan.ACCOUNTS), scale: int = 1
    ) -> None:
        self.seed = seed
        self.scale = scale
        self.nodes: dict[str, Node] = {}
        self.accounts: Sequence[Node] = [self._account(index) for index in range(accounts)]

    def find(self, text: str) -> Node | None:
        """The node that a path names, or None. An account answers only with its ``act_``."""
        node = self.nodes.get(text.removeprefix("act_"))
        is_account = node is not None and node.level == "account"
        return node if is_account == text.startswith("act_") else None

    def _account(self, index: int) -> Node:
        about = _turn(plan.ACCOUNTS, index)
        again = index // len(plan.ACCOUNTS)
        name = f"{about.name} {again + 1}" if again else about.name
        # Neighbouring ids differ in their last digits only, which a float would lose.
        ids = (f"120{self.seed % 1000:03}{index:03}{n:09}" for n in count(1))
        account_id = f"5{self.seed % 1000:03}{index:04}7310042"
        account = self._add(None, about, account_id, Part("account", name))
        turn = count(index)
        for part, adsets in _campaigns(about):
            campaign = self._add(account, about, next(ids), part)
            for adset_part in adsets:
                adset = self._add(campaign, about, next(ids), adset_part)
                for _ in range(about.shape[2] * self.scale):
                    self._add(adset, about, next(ids), _ad(next(turn)))
        return account

    def _add(self, parent: Node | None, about: AccountPlan, node_id: str, part: Part) -> Node:
        dice = random.Random(f"{self.seed}/{node_id}")  # noqa: S311  a seeded world, no secret
        created = FIRST_CREATED + dice.random() * CREATED_WITHIN
        line: dict[str, Node] = dict(parent.line) if parent else {}
        node = Node(
            level=part.level,
            id=node_id,
            name=part.name,
            status=part.status,
            effective_status=effective_status(part, parent),
            about=about,
            created=created,
            updated=created + dice.random() * UPDATED_WITHIN,
            line=line,
            purpose=part.purpose,
        )
        line[part.level] = node
        if parent:
            parent.children.append(node)
        self.nodes[node_id] = node
        return node


def effective_status(part: Part, parent: Node | None) -> str:
    """What an object's own status, Meta's review and its parents come to.

    Archiving and deleting reach down to the children; a pause gives them the parent's word for
    it. Source: Marketing API, Object status guide.
    """
    above = parent.effective_status if parent else "ACTIVE"
    for gone in ("DELETED", "ARCHIVED"):
        if gone in (part.status, above):
            return gone
    if part.status == "PAUSED":
        return "PAUSED"
    if parent and above == "PAUSED":
        return PAUSED_BY[parent.level]
    return above if above.endswith("_PAUSED") else part.review or part.status


def _campaigns(about: AccountPlan) -> Iterator[tuple[Part, Sequence[Part]]]:
    """The campaigns of an account, each with its ad sets."""
    campaigns, adsets, _ = about.shape
    for at in range(campaigns):
        made = _turn(plan.CAMPAIGNS, at)
        name = f"{about.currency} | {made.name}" if at % 2 == 0 else made.name
        yield (
            Part("campaign", name, made.status, made.review, made.objective),
            [
                Part(
                    "adset",
                    f"{made.name} / {i + 1}",
                    _turn(plan.ADSETS, at + 2 * i),
                    None,
                    made.goal,
                )
                for i in range(adsets)
            ],
        )


def _ad(turn: int) -> Part:
    status, review = _turn(plan.ADS, turn)
    return Part("ad", _turn(plan.AD_NAMES, turn), status, review)


def _turn(table: Sequence[T], at: int) -> T:
    return table[at % len(table)]
