"""Objects as the API shows them: the fields that can be read and written, the edges that list them,
and the filters that choose among them.

It imports `protocol` and `world`. The rooms `insights`, `faults`, `state`, `endpoints` and
`server` may import it.
"""
