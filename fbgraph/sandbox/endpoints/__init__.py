"""What is behind each path: functions that take a call and give back a body, or refuse it, and the
table of routes that finds them.

It imports `state` and the rooms below that. Only `server` may import it.
"""
