"""What analysts open: `warehouse.duckdb`, made of the lake and following it.

It knows the lake; nothing in `warehouse` knows it but `warehouse.open`.
"""
