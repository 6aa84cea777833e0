"""The published tables for agents, over the Model Context Protocol: `fbinsights mcp`.

An agent writes SQL that nobody has read, so each call is carried out by a process of its own
(`worker`), which opens the published file and nothing else, and which the machine stops when it
takes too much memory or time. There the tables are listed and described (`tables`), queries
answered (`results`) and days judged (`trust`); `prompts` are the questions of docs/questions.md.
`server` is the only module that knows the protocol. Only the command line may import this.
"""

import sys
from types import ModuleType

# A worker of anyio has no `__main__` if its server was not started from a file, as in a notebook;
# without one DuckDB cannot be imported.
sys.modules.setdefault("__main__", ModuleType("__main__"))
