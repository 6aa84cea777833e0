"""What is written to Dagster's event log: materializations, observations and results of checks,
with their metadata and data versions, of runs and of what was loaded without one.

The rest of `pipelines.defs` imports it, and the command line.
"""
