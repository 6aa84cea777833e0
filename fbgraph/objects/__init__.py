"""Nodes, edges and report runs: what a caller holds in the hand.

They are made by a client and know of it only what `caller.Caller` says.
"""
