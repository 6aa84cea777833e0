"""Defects: files that are damaged (`damage`), loads that failed (`failures`), and values that could
not be read (`rejects`). Each is kept or named, so that it costs no more than itself.

The rest of the lake imports it, and so do `warehouse.published`, loaders, and what shows failures:
the command line and `pipelines.overview`.
"""
