"""Reports as data: `ReportSpec`, the YAML reader, the rules, the tables that reports fill, the
presets and the folders of users' own reports.

It knows the catalogue of fields and the schema, but neither Dagster nor loading.
"""
