"""Loading, Dagster and the command line: when, which account-days, with what, and was it right.

It knows `fbgraph` and `warehouse`; nothing imports it. Each room in it says what it has.
"""
