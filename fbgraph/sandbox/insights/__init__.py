"""Insights: a checked query, the numbers that it asks for, the rows that they become, report runs.

It imports `protocol`, `world` and `objects`. The rooms `faults`, `scenarios`, `state`, `endpoints`
and `server` may import it.
"""
