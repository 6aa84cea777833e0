"""Today by the hour: one tick finds which accounts have moved, asks those for their totals, loads
the open day of those whose totals moved, and closes days that are over.

`deciding` says what to do and does no I/O; `spent` and `totals` ask Meta; `tick` does the rest, in
one place. It knows the rest of `pipelines.loading`, where nothing imports it: `defs` and `cli` do.
"""
