"""What there is at Meta besides insights: accounts, campaigns, ad sets, ads, images … Each is one
row, an `ObjectTable`; `object_table` says what a row can say, `warehouse.schema.tables` lists them.

It imports nothing of ours but the rest of `schema`; what reads or shows objects imports it.
"""
