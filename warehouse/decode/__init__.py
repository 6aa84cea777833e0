"""Pages and objects of Graph to typed rows: fast by columns, carefully by rows where a page is odd.

It knows `schema`; `lake` and the loaders call it.
"""
