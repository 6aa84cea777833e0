"""What tables and views there are: columns, keys, comments, SQL, definitions for other engines.

It imports nothing of ours but `errors`; everybody may import it.
"""
