"""One request: its checks, the token, the connection, the response, a batch of requests, the pages
of a listing.

It knows `errors`, `catalog` and `limits`; objects, reports and the client are built on it.
"""
