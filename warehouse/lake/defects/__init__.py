"""Defects: files that are damaged, loads that failed, and values that could not be read; each of
them is kept, or named, so that it costs no more than itself.

The rest of the lake imports it, and so do `warehouse.published`, loaders, and whoever shows what
failed: the command line and `pipelines.overview`.
"""
