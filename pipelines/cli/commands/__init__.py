"""The commands, a file for each. `pipelines.cli.main` and `pipelines.cli.reading` have their
options and call them.
"""
