"""Scenarios about accounts and their objects: cells that cannot be read, objects that are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.faults import objects
from fbgraph.sandbox.faults.hooks import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OBJECTS_SCENARIOS"]

OBJECTS_SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Accounts and their objects
    "odd_objects": Scenario(
        "one in N campaigns, ad sets and ads has a budget, a name, a time that cannot be read",
        *("reported by a user, 2026: its kind", 5),
        after=objects.break_cells,
        item=objects.break_cells,
    ),
    "lost_objects": Scenario(
        "one in N campaigns, ad sets and ads is null in its list, or has no id there",
        *("reported by a user, 2026: its kind", 5),
        after=objects.lose_objects,
    ),
    "odd_accounts": Scenario(
        "the list of accounts has a null and one without id; the name and balance of the second"
        " cannot be read, the third has a time zone that does not exist",
        "reported by a user, 2026: its kind",
        after=objects.break_accounts,
    ),
    "no_limits": Scenario(
        "caps of campaigns are 922337203685478, which is none; ad sets end in 1969, which is never",
        "Campaign reference, spend_cap; reported by a user, 2026",
        after=objects.no_limits,
        item=objects.no_limits,
    ),
    "large_amounts": Scenario(
        "what accounts have spent has 16 digits",
        "reported by a user, 2026",
        after=objects.enlarge_amounts,
    ),
    "unknown_currency": Scenario(
        "the second account has the currency XTS",
        "reported by a user, 2026: its kind",
        after=objects.rename_currency,
    ),
}
