"""A Graph API on loopback: refuses what Meta refuses, hides what Meta hides.

    from fbgraph.sandbox import Sandbox

    with Sandbox(seed=1) as sandbox:
        ...  # call sandbox.url with sandbox.token

It imports nothing of ours but `fbgraph.catalog`, so that the client and the sandbox cannot share
one misreading of Meta's documentation. The same seed gives the same world: any finished day of the
last 37 months has the same numbers in every sandbox, on every machine.

README.md beside this file lists its scenarios, options and pages. What it does not imitate:

- pixels, audiences, pages, videos, catalogs and all that is no account, campaign, ad set, ad,
  creative, label, image or business
- breakdowns and action breakdowns that Meta names without describing them; ``time_ranges``,
  exports, ``summary_action_breakdowns``; it says so in an error that Meta would not send
- audiences: every ad's numbers fall into a breakdown by shares of its own, the same each day
- the shorter memory for unique numbers, and for reach under breakdowns: 13 months at Meta
- history of objects: they can be changed, but no change moves a number of any day, and what an ad
  delivers does not depend on when it was archived or deleted
- most fields of insights and objects: all that Meta knows are accepted, but only those in `columns`
  and `objects` ever have a value; reach and what is unique are a fixed share of impressions
- attribution: every purchase off Meta has its window from the beginning, and nothing arrives late
  unless a scenario restates it; `1d_ev` has no values
- Meta's lenient parser: lists and objects must be strict JSON, or comma text for words
- unknown parameters, which Meta ignores on many endpoints, are refused here on all of them
- limits of size: unless a scenario says so no ``limit`` is too high and no report too large
- quotas, unless they are turned on; then neither CPU time counts nor errors nor changes of budgets
"""

from fbgraph.sandbox.scenarios.catalog import SCENARIOS
from fbgraph.sandbox.server.loopback import Sandbox, serve
from fbgraph.sandbox.world.tree import World

__all__ = ["SCENARIOS", "Sandbox", "World", "serve"]
