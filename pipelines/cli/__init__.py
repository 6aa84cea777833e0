"""The command line: a file for each command, and `output` for how they print.

On top of everything; nothing imports it.
"""
