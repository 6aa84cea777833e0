"""Refreshing: which past days are loaded again, and how.

`pipelines.defs` and `pipelines.cli` import it; of the rest of `pipelines.loading` only `recording`.
"""
