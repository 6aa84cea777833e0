"""What Dagster shows: assets, checks, jobs, schedules, sensors, and the events and metadata that
they report.

It knows the loaders and the reports; `assembly` puts it together, and the command line uses it.
"""
