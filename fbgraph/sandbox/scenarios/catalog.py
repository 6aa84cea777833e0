"""All scenarios by name, in the order in which they are listed.

They combine: every hook hands on what the scenario named before has made of it. All are
deterministic: they go by the number of the call, by what has been asked before, or by dice thrown
from stable facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.scenarios.callers import CALLERS_SCENARIOS
from fbgraph.sandbox.scenarios.limits import LIMITS_SCENARIOS
from fbgraph.sandbox.scenarios.lists import LISTS_SCENARIOS
from fbgraph.sandbox.scenarios.objects import OBJECTS_SCENARIOS
from fbgraph.sandbox.scenarios.responses import RESPONSES_SCENARIOS
from fbgraph.sandbox.scenarios.rows import ROWS_SCENARIOS
from fbgraph.sandbox.scenarios.runs import RUNS_SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fbgraph.sandbox.faults.hooks import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: Final[Mapping[str, Scenario]] = {
    **CALLERS_SCENARIOS,
    **LIMITS_SCENARIOS,
    **RESPONSES_SCENARIOS,
    **LISTS_SCENARIOS,
    **RUNS_SCENARIOS,
    **ROWS_SCENARIOS,
    **OBJECTS_SCENARIOS,
}
