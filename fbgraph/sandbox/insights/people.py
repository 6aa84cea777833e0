"""People: who saw or clicked something, each counted once, however often they did.

Of several days they are those of the day that had most, and half of the others', for the rest had
been there before. So a longer range never has fewer people than a part of it, nor more than its
parts together, and the same question has the same answer. Recorded: 7 days with 58,792 people have
40,274 in their week, 31 days with 205,072 have 90,295 in their month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fbgraph.sandbox.world.delivery import Numbers
    from fbgraph.sandbox.world.nodes import WorldNode

__all__ = ["reach_of_day", "together"]

#: What the ads of an object have in common in the people whom they reach, in days of one ad.
ALIKE: Final[Mapping[str, int]] = {"adset": 1, "campaign": 2, "account": 4}


def reach_of_day(node: WorldNode, numbers: Numbers) -> int:
    """People of one day, of whom each saw about 1.6 impressions. An estimate: it does not add up.

    Where an account's ads reach the same people, more of them reach less than their sum.
    """
    people = (numbers.people * 5 + 7) // 8
    again = node.about.overlap * ALIKE.get(node.level, 0)
    return max(int(people / (1 + again)), min(people, 1))


def together(of_days: Sequence[int]) -> int:
    """People of all these days, from those of each."""
    return max(of_days) + (sum(of_days) - max(of_days)) // 2
