"""The commands, a file for each. `pipelines.cli.main` reads their options and calls them."""
