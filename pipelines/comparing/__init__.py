"""The table of another loader next to ours, by account and day: where they differ, and why.

Which column is which (`names`) and why a day differs (`reasons`) are decided from values. Their
file and ours are read by DuckDB, read-only (`their_table`, `evidence`); `comparison` puts all of
it together. Only the command line may import it.
"""
