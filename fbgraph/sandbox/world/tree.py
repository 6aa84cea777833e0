"""The accounts and their objects: what the seed made, and what requests have changed since.

A world holds no numbers: `delivery` computes those. What an ad delivers depends on its status at
its creation alone, so no write changes a number, and archived and deleted ads have delivery on
recent days too.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.world.advertisers.brands import title_of
from fbgraph.sandbox.world.advertisers.company import COMPANY
from fbgraph.sandbox.world.advertisers.plan import CLIENT_EVERY, Part
from fbgraph.sandbox.world.days import ONE_DAY, local_date
from fbgraph.sandbox.world.library import LIBRARY_PREFIXES, library_of
from fbgraph.sandbox.world.nodes import (
    NEVER_RAN,
    PREFIXES,
    WorldNode,
    creative_id,
    effective_status,
    new_node,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fbgraph.sandbox.world.activities import Activity, Seeded
    from fbgraph.sandbox.world.advertisers.brands import Concept
    from fbgraph.sandbox.world.advertisers.plan import AccountPlan, WorldPlan
    from fbgraph.sandbox.world.library import Library

__all__ = ["World"]

#: Objects were created in this span, long before the 37 months that insights reach back.
FIRST_CREATED: Final = datetime(2020, 3, 2, 8, tzinfo=UTC)
CREATED_WITHIN: Final = timedelta(days=700)


#: Ids of videos are made from what they show, and do not name their account.
VIDEO_PREFIX: Final = "70"
VIDEO_DIGITS: Final = 15


def account_id_of(seed: int, index: int) -> str:
    """The id of an account (digits), in the order of `index`. The first two digits and the last six
    tell accounts apart: Dagster's pages show ``act_20…310042`` where there is no room for more.
    """
    first, last = min(20 + 11 * index, 99), (310_042 + 271_828 * index) % 1_000_000
    return f"{first}{seed % 1000:03}{index:04}{last:06}"


class World:
    """Accounts made from `seed` and `plan`. `accounts` (all of the plan, if None) and `scale` (ads
    in each ad set, times) size it. The first `delivering` of them deliver (all, if None); the
    others are idle.

    `changes` counts the writes, so that what was computed before one is not shown after it; `log`
    has what they did.
    """

    def __init__(
        self,
        seed: int = 1,
        plan: WorldPlan = COMPANY,
        *,
        accounts: int | None = None,
        scale: int = 1,
        delivering: int | None = None,
    ) -> None:
        self.seed = seed
        self.plan = plan
        self.scale = scale
        self.changes = 0
        self.log: list[Activity] = []
        #: By account, what its objects were before the first write.
        self.seeds: dict[str, Sequence[Seeded]] = {}
        self._libraries: dict[str, Library] = {}
        self.nodes: dict[str, WorldNode] = {}
        self.businesses: Sequence[WorldNode] = [self._business(at) for at in range(2)]
        self._ids: dict[str, Iterator[str]] = {}
        #: The first ad of an account with a concept; all with the same one share its creative.
        self._shown: dict[tuple[str, Concept], str] = {}
        number = len(plan.accounts) if accounts is None else accounts
        self.accounts: Sequence[WorldNode] = [
            self._account(index, is_idle=delivering is not None and index >= delivering)
            for index in range(number)
        ]

    def find(self, text: str) -> WorldNode | None:
        """The node that a path names, or None. An account is found only with its ``act_``."""
        known = self.nodes.get(text.removeprefix("act_"))
        node = known or self._creative(text) or self._in_library(text)
        is_account = node is not None and node.level == "account"
        return node if is_account == text.startswith("act_") else None

    def make(
        self, parent: WorldNode, part: Part, now: datetime, node_id: str | None = None
    ) -> WorldNode:
        """Add what a call has made. Creatives and labels are next to the campaigns."""
        prefix = PREFIXES.get(part.level, "")
        made = node_id or prefix + next(self._ids[parent.account.id])[len(prefix) :]
        node = new_node(parent, parent.about, made, part, (now, now))
        node.delivers_from = local_date(node.zone, now) + ONE_DAY
        node.born = "ACTIVE" if node.effective_status == "ACTIVE" else NEVER_RAN
        self._register(parent, node)
        self.changes += 1
        return node

    def propagate_status(self, node: WorldNode, now: datetime | None) -> None:
        """After a change: statuses reach down. `now` is None where ``updated_time`` stays."""
        if now:
            node.updated = now
        _reach_down(node)
        self.changes += 1

    def creative_of(self, ad: WorldNode) -> WorldNode:
        """The creative of an ad. That of a seeded ad is made when it is first looked at."""
        wanted = creative_id(ad)
        return self.nodes.get(wanted) or self._seeded_creative(self._first_with(wanted), wanted)

    def creatives(self, node: WorldNode) -> Sequence[WorldNode]:
        """All creatives of an account or an ad, each once."""
        used = [self.creative_of(ad) for ad in node.under("ad")]
        return list(dict.fromkeys([*used, *node.under("creative")]))

    def library(self, account: WorldNode) -> Library:
        """What an account has besides its ads, made when it is first looked at."""
        if account.id not in self._libraries:
            index = next(at for at, one in enumerate(self.accounts) if one is account)
            made = library_of(account, self.seed, index, self.creatives(account))
            self.nodes |= {node.id: node for nodes in made.nodes.values() for node in nodes}
            self._libraries[account.id] = made
        return self._libraries[account.id]

    def images(self, account: WorldNode) -> Sequence[WorldNode]:
        """The pictures of its creatives, and those that were uploaded."""
        return [*self.in_library(account, "image"), *account.under("image")]

    def in_library(self, account: WorldNode, level: str) -> Sequence[WorldNode]:
        """What an account lists of a level. Its first two accounts share the pixel of the first."""
        found = list(self.library(account).nodes[level])
        if level == "pixel" and account in self.accounts[1:2]:
            found = [*self.library(self.accounts[0]).nodes[level], *found]
        return found

    def _in_library(self, text: str) -> WorldNode | None:
        """A node by its id, where the library that it is in was not looked at yet."""
        for account in self._owners(text):
            self.library(account)
            if text in self.nodes:
                return self.nodes[text]
        return None

    def _owners(self, text: str) -> Sequence[WorldNode]:
        """The accounts whose libraries may have an id: images and others name theirs."""
        if ":" in text:
            return [one for one in self.accounts if text.startswith(f"{one.id}:")]
        if not text.isdecimal():
            return ()
        if text.startswith(VIDEO_PREFIX) and len(text) == VIDEO_DIGITS:
            return self.accounts
        if text[:2] in LIBRARY_PREFIXES.values():
            return self.accounts[int(text[5:9] or 0) :][:1]
        return ()

    def _creative(self, text: str) -> WorldNode | None:
        """The creative of a seeded ad by its id, which follows from that of the first such ad."""
        if not text.startswith(PREFIXES["creative"]):
            return None
        ad = self.nodes.get(f"1{text[1:]}")
        is_first = ad and ad.level == "ad" and ad.is_seeded and creative_id(ad) == text
        return self._seeded_creative(ad, text) if ad and is_first else None

    def _first_with(self, wanted: str) -> WorldNode:
        """The seeded ad that a creative was made for; others may show it too."""
        return self.nodes[f"1{wanted[1:]}"]

    def _seeded_creative(self, ad: WorldNode, node_id: str) -> WorldNode:
        name = title_of(ad.concept) if ad.concept else f"{ad.name} {ad.created:%Y-%m-%d}"
        part = Part("creative", name, concept=ad.concept)
        node = new_node(ad.account, ad.about, node_id, part, (ad.created, ad.created))
        self.nodes[node.id] = node
        return node

    def _business(self, at: int) -> WorldNode:
        name = self.plan.businesses[at]
        node_id = f"8{self.seed % 1000:03}{at:011}"
        node = new_node(
            None,
            self.plan.accounts[0],
            node_id,
            Part("business", name),
            (FIRST_CREATED, FIRST_CREATED),
        )
        self.nodes[node_id] = node
        return node

    def _account(self, index: int, *, is_idle: bool) -> WorldNode:
        about = self.plan.accounts[index % len(self.plan.accounts)]
        if is_idle:
            about = replace(about, activity=0.0)
        again = index // len(self.plan.accounts)
        name = f"{about.name} {again + 1}" if again else about.name
        account_id = account_id_of(self.seed, index)
        # Neighbouring ids differ in their last digits only, which a float would lose.
        ids = (f"120{self.seed % 1000:03}{index:03}{n:09}" for n in count(1))
        self._ids[account_id] = ids
        account = self._add(None, about, account_id, Part("account", name))
        for part in self.plan.campaigns(about, index, self.scale):
            self._grow(account, part, ids)
        for label in self.plan.labels:
            self._add(account, about, PREFIXES["label"] + next(ids)[1:], Part("label", label))
        account.values |= _owner(self.businesses, index)
        return account

    def _grow(self, parent: WorldNode, part: Part, ids: Iterator[str]) -> None:
        """Add what the plan says of an object, and all that is in it."""
        node = self._add(parent, parent.about, next(ids), part)
        if part.concept:
            first = self._shown.setdefault((parent.account.id, part.concept), node.id)
            if first != node.id:
                node.values["creative"] = {"id": f"{PREFIXES['creative']}{first[1:]}"}
        for child in part.children:
            self._grow(node, child, ids)

    def _add(
        self, parent: WorldNode | None, about: AccountPlan, node_id: str, part: Part
    ) -> WorldNode:
        dice = random.Random(f"{self.seed}/{node_id}")  # noqa: S311  a seeded world, no secret
        first = parent.created if parent and self.plan.is_orderly else FIRST_CREATED
        created = first + dice.random() * (FIRST_CREATED + CREATED_WITHIN - first)
        updated = created + dice.random() * self.plan.updated_within
        return self._register(parent, new_node(parent, about, node_id, part, (created, updated)))

    def _register(self, parent: WorldNode | None, node: WorldNode) -> WorldNode:
        if parent:
            parent.children.append(node)
        self.nodes[node.id] = node
        return node


def _owner(businesses: Sequence[WorldNode], index: int) -> Mapping[str, Any]:
    """Whose account it is, as fields of the account."""
    business = businesses[index % CLIENT_EVERY == CLIENT_EVERY - 1]
    described = {"id": business.id, "name": business.name}
    return {"business": described, "owner_business": described, "owner": business.id}


def _reach_down(node: WorldNode) -> None:
    node.effective_status = effective_status(node, node.parent)
    for child in node.children:
        _reach_down(child)
