"""The command line: a file for each command, and how they print.

On top of everything; nothing imports it.
"""
