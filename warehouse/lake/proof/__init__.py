"""Proof: whether the rows of an account-day add up to the account's own totals (`reconcile`), and
its actions to the account's own actions (`conversions`). No I/O.

The rest of the lake imports it, and so do loaders and what they keep in `pipelines.state`.
"""
