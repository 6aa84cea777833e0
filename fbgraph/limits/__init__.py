"""How long to wait: usage headers, throttles, cooldowns that processes share, retries, and the
tally of calls.

It knows `errors` alone; `http`, the client and the reports ask it.
"""
