"""Reports as data: what a person writes, the rules, the tables they fill, the presets.

It knows the catalogue of fields and the schema; no Dagster, no loading.
"""
