"""How commands print: lines that fit the terminal, tables, failures in groups, progress, JSON.

Commands import it; it imports none of them.
"""
