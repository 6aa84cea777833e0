"""The lake: Parquet files by account-day, how they are staged, proven, replaced and recorded.

It knows `schema`, `storage` and `decode`; `published` reads it and loaders write it.
"""
