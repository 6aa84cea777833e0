"""Loading without Dagster: the loader of reports, control totals, accounts and their objects,
failures, what a refresh reloads, and today by the hour.

It knows `reports`, `state` and the two packages below; `defs` and `cli` call it.
"""
