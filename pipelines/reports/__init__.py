"""Reports as data: what a person writes, the rules, the tables they fill, the presets,
and where reports of one's own are.

It knows the catalogue of fields and the schema; no Dagster, no loading.
"""
