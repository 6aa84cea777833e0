"""The truth: Parquet files by account-day, how they are staged, proven, replaced, recorded and
remembered.

It knows `schema`, `storage` and `decode`; `published` reads it and loaders write it.
"""
