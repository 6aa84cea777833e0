"""Small things that must survive a process: report runs in flight, cooldowns, where a lake's data
is from, which lake a Dagster home shows.

It knows storage; the settings and the loaders use it.
"""
