"""How much a caller may ask and how long a response takes: quotas that count and block, the usage
headers that show them, and the seconds of `--latency`.

It imports `protocol` and `world`. The rooms `faults`, `scenarios`, `state`, `endpoints` and
`server` may import it.
"""
