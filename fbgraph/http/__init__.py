"""One request: its checks (`request`, `filtering`), the token (`auth`), the one place that sends it
(`connection`, over `transport` and `sockets`), its `response`; several in a `batch`, and the pages
of a listing (`paging`).

It knows `errors`, `catalog` and `limits`; objects, reports and the client are built on it.
"""
