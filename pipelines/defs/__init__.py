"""Components that Dagster finds: a folder each, with a `defs.yaml`. docs/reports.md tells how."""
