"""Loading without Dagster: the loader of reports, control totals, objects and accounts, what
becomes of what failed, what is to be loaded again.

It knows `reports`, `state` and the two packages below; `defs` and `cli` call it.
"""
