"""What exists at Meta, as tables: fields of insights and of objects, breakdowns and how they
combine, versions of the API, what was retired.

It imports no other room; every room may import it, the sandbox too.
"""
