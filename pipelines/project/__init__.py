"""What a project folder is made of, and how Dagster is kept running on it: the templates that
`fbinsights init` copies, ready reports for `fbinsights add`, what `fbinsights check` says about a
folder. Everything of a user's own is in the folder; nothing of it is here. Imported by `cli`.
"""
