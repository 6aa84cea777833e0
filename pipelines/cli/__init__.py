"""The command line: `main` with the options, a file for each command in `commands`, and
`output` for how they print.

On top of everything; nothing imports it.
"""
