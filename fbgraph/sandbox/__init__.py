"""A Graph API on loopback: refuses what Meta refuses, hides what Meta hides.

    from fbgraph.sandbox import Sandbox

    with Sandbox(seed=1) as sandbox:  # or world="hostile"
        ...  # call sandbox.url with sandbox.token

Of the client it imports only `fbgraph.catalog`, what exists at Meta, so that both cannot share one
misreading of Meta's documentation. The same seed gives the same world: any finished day of the last
37 months has the same numbers in every sandbox, on every machine.

Everybody outside imports from here. The rest is in rooms, and each says what is in it and who may
import it. README.md next to this file lists scenarios, options, pages and rooms.
What it does not imitate:

- pages, catalogs, lead forms, studies: everything that is not an account or a business, what an
  account advertises, or what that is made of; pixels and audiences can be read, and not filled
- breakdowns and action breakdowns that Meta names without describing them, ``time_ranges``, exports
  and ``summary_action_breakdowns``: the error says so, and is not one of Meta's
- audiences: the numbers of each ad are split into breakdowns by shares of its own, the same every
  day
- the shorter memory for unique numbers, and for reach with breakdowns: 13 months at Meta
- history of objects: they can be changed, but no change affects the numbers of any day, and what an
  ad delivers does not depend on when it was archived or deleted; activities before a sandbox began
  are changes that were taken back the same day
- most fields of insights and objects: all that Meta knows are accepted, but only those in
  `insights.columns` and `objects.fields` ever have a value; reach follows from impressions and the
  age of an ad, unique numbers from clicks; people of several days are those of the largest day and
  half of the others'
- attribution: every purchase off Meta has its window from the beginning, and nothing arrives late
  unless a scenario restates it; `1d_ev` has no values
- Meta's lenient parser: lists and objects must be strict JSON, or comma-separated text for words
- unknown parameters: Meta ignores them on many endpoints, the sandbox refuses them on all
- limits of size: unless a scenario says otherwise, no report is too large, and no ``limit`` is too
  high but for a page with costly fields
- quotas, unless they are turned on; then CPU time, errors and changes of budgets do not count
"""

from fbgraph.sandbox.scenarios.catalog import SCENARIOS
from fbgraph.sandbox.server.apart import SandboxApart, sandbox_apart
from fbgraph.sandbox.server.loopback import WORLDS, Sandbox, serve
from fbgraph.sandbox.world.tree import World

__all__ = ["SCENARIOS", "WORLDS", "Sandbox", "SandboxApart", "World", "sandbox_apart", "serve"]
