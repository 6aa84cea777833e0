"""Small things that must survive a process: report runs in flight, cooldowns, the source of a
lake's data, the lake that a Dagster home shows.

It knows storage; the settings and the loaders use it.
"""
