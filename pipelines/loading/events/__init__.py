"""Rows that are events, such as activities: read by time, from where the last load ended.

Only `pipelines.loading.objects` and tests import it.
"""
