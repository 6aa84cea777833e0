"""Results: what people did, by the action types that cover all of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RESULTS", "Result", "sum_of"]


class Result(NamedTuple):
    """What people did, by one action type, and the columns of it in views."""

    number: str
    value: str
    cost: str
    action_type: str
    one: str  # a single one, in words


#: The action types that cover all of a kind, on Meta and off, each once: omni contains the plain
#: type, which contains the pixel's; `lead` has both. Source: Meta's ads-action-stats;
#: recorded bodies of 2026.
RESULTS: Final[Sequence[Result]] = (
    Result("purchases", "purchase_value", "cpa", "omni_purchase", "purchase"),
    Result(
        *("add_to_cart", "add_to_cart_value", "cost_per_add_to_cart"),
        *("omni_add_to_cart", "addition to a cart"),
    ),
    Result(
        *("checkouts", "checkout_value", "cost_per_checkout"),
        *("omni_initiated_checkout", "checkout begun"),
    ),
    Result("leads", "lead_value", "cost_per_lead", "lead", "lead"),
)


def sum_of(field: str, action_type: str) -> str:
    """SQL that adds up the values of one action type in a list field."""
    return f"sum(list_sum([e.value FOR e IN {field} IF e.action_type = '{action_type}']))"
