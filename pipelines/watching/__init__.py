"""What is unusual about today, and who is told: rules over each account's open day, the history
that they compare with, texts, and what was told already.

`rules` decides from values alone; `history` reads them from the published file, `confirming` asks
Graph again before anybody is told, `told` remembers. It knows reports, state, settings and
escaping; `defs` runs it after each load of today.
"""
