"""Faults by name: a table of each kind, the catalogue of all, and those that are on in a sandbox.
A new scenario is a line in one of the tables.

It imports `faults` and what lies below. The rooms `state`, `endpoints` and `server` may import it.
"""
