"""Pages and objects of Graph to typed rows: the fast path by columns, the careful path by rows.

It knows `schema`; `lake` and the loaders call it.
"""
