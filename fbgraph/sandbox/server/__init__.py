"""The way of a call from the socket to its endpoint and back: versions, batches, headers, the
sandbox's own pages, and `Sandbox` and `serve`, which open the socket.

The highest room: it may import every other, and only `fbgraph.sandbox` itself imports it.
"""
