"""Two accounts and Meta's refusal: what tests of shared limits begin with."""

from __future__ import annotations

from fbgraph import Request
from fbgraph.errors import Detail, ThrottledError

ONE = Request("GET", "act_1/insights")
TWO = Request("GET", "act_2/insights")


def refusal(told: float) -> ThrottledError:
    return ThrottledError(Detail("Too many.", code=17, cooldown_seconds=told, limit="account"))
