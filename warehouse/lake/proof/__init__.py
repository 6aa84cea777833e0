"""Proof: whether rows add up to Meta's own totals, and actions to those of actions. No I/O.

The rest of the lake imports it, and so do loaders and what they keep in `pipelines.state`.
"""
