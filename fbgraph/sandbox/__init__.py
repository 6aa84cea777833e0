"""A Graph API on loopback: refuses what Meta refuses, hides what Meta hides.

    from fbgraph.sandbox import Sandbox

    with Sandbox(seed=1) as sandbox:
        ...  # call sandbox.url with sandbox.token

It imports nothing of ours but `fbgraph.fields`, so that the client and the sandbox cannot share one
misreading of the contract. The same seed gives the same world: any finished day of the last 37
months has the same numbers in every sandbox, on every machine.

What it does not imitate:

- quotas: usage headers show small shares that nothing adds to; only scenarios throttle
- writes, uploads, creatives, pixels, businesses, pages; a token has one scope, ``ads_read``
- breakdowns other than the advertiser's hour (with action_type, action_target_id and
  action_destination), ``time_ranges``, exports, ``summary_action_breakdowns``; it says so in an
  error that Meta would not send
- history of objects: statuses are as of now, names and budgets never change, and what an ad
  delivers does not depend on when it was archived or deleted
- most fields of insights and objects: all that Meta knows are accepted, but only those in `columns`
  and `objects` ever have a value; reach and what is unique are a fixed share of impressions
- attribution: a window's value is a fixed share of the total, and nothing arrives late unless a
  scenario restates it
- Meta's lenient parser: lists and objects must be strict JSON, or comma text for words
- unknown parameters, which Meta ignores on many endpoints, are refused here on all of them
- size: no ``limit`` is too high, no report too large, no answer slow
- in a batch: items that refer to each other, files, items that time out
"""

from fbgraph.sandbox.scenarios import SCENARIOS
from fbgraph.sandbox.server import Sandbox, serve
from fbgraph.sandbox.world import World

__all__ = ["SCENARIOS", "Sandbox", "World", "serve"]
