"""The published tables in a DuckLake too: how it is named, attached, brought up to date, and kept
small.

`published` sends each snapshot there; whoever opens the tables as of a time asks it.
"""
