"""Which loads are tried: every scenario by itself, and combinations of three that a seed draws."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from tests.chaos.expected import EXPECTED, name_of
from tests.chaos.trial import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["alone", "drawn", "short"]

#: How many scenarios are combined by a seed, and in the short form.
TOGETHER: Final = 3
TOGETHER_SHORT: Final = 4

#: Seconds that report runs take; None is two polls, whatever the time.
RUN_SECONDS: Final = (None, 1.0, 30.0, 240.0)


def alone() -> Sequence[Plan]:
    """Every scenario by itself, with those without which it meets nothing."""
    return [Plan((name, *may.beside)) for name, may in EXPECTED.items()]


def drawn(seed: int) -> Plan:
    """Three scenarios, their strengths and how long report runs take, the same for a seed."""
    dice = random.Random(seed)  # noqa: S311  # seeded, no secret
    names = dice.sample([name for name, may in EXPECTED.items() if not may.is_alone], TOGETHER)
    strong = [_with_strength(name, dice) for name in names]
    beside = [one for name in names for one in EXPECTED[name].beside]
    return Plan(_each_once([*strong, *beside]), seed, dice.choice(RUN_SECONDS))


def short() -> Sequence[Plan]:
    """What takes a minute: what may fail by itself, and the others by fours."""
    cheap = {name: may for name, may in EXPECTED.items() if not may.is_dear}
    harmless = [name for name, may in cheap.items() if may.is_harmless]
    random.Random(1).shuffle(harmless)  # noqa: S311  # seeded, no secret
    fours = [harmless[at : at + TOGETHER_SHORT] for at in range(0, len(harmless), TOGETHER_SHORT)]
    return [
        *(Plan((name, *may.beside)) for name, may in cheap.items() if not may.is_harmless),
        *(
            Plan(_each_once([*names, *(b for name in names for b in EXPECTED[name].beside)]), at)
            for at, names in enumerate(fours)
        ),
    ]


def _with_strength(name: str, dice: random.Random) -> str:
    strength = dice.choice(["", *EXPECTED[name].strengths])
    return f"{name}:{strength}" if strength else name


def _each_once(names: Iterable[str]) -> Sequence[str]:
    """The first of each name: one scenario has one strength."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name_of(name), name)
    return tuple(found.values())
