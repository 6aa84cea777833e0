"""What a sandbox remembers: its world and tokens, its report runs, the calls that it served, the
scenarios that are on.

It imports every room below. Only `endpoints` and `server` may import it.
"""
