"""Refreshing: which past days are loaded again, and how.

`pipelines.defs` and `pipelines.cli` import it; of `pipelines.loading` only `recording` and
`intraday`.
"""
