"""What analysts open: `warehouse.duckdb`, built from the lake and following it.

It knows the lake; of `warehouse` only `warehouse.open` knows it.
"""
