"""What is unusual about today, and who is told: rules over each account's open day, the history
that they compare with, texts, and what was told already.

`look` calls the others: `history` reads values from the published file, `rules` decides from them
alone, `confirming` asks Graph again before anybody is told, `message` and `digest` have the texts,
`told` remembers. It knows state, settings and escaping; `defs` and the command line import it.
"""
