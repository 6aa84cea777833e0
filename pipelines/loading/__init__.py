"""Loading without Dagster: the loader of reports, control totals, accounts and their objects,
failures, and what a refresh reloads.

It knows `reports`, `state` and the two packages below; `defs` and `cli` call it.
"""
