"""What is written to Dagster's event log: `events` with their `metadata` and `data_versions`, as
far as they are `news`; by runs (`run_events`), and by what loads without one (`runless`).
`old_ticks` removes what is no longer needed.

The rest of `pipelines.defs` imports it, and the command line.
"""
