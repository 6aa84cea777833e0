"""The way of a call from the socket to its endpoint and back: versions, batches, headers, the
sandbox's own pages, and what opens the socket: `Sandbox` in a thread, `serve` for the command
line, `sandbox_apart` in a process of its own.

The highest room: it may import every other, and only `fbgraph.sandbox` itself imports it.
"""
