"""What Graph sends, to typed rows: `pages` of insights, by columns (`casts`) or carefully by rows;
`objects`, such as campaigns; `activities`. And what their values mean: `hours` of an account's
clock, `money` in the coins of its currency, sums of `actions`.

It knows `schema`; the rest of the warehouse imports it, and so do loaders and what shows hours or
money.
"""
