"""Ad accounts: which there are, at Meta and in the lake, what of them takes more rights than
reading ads, and the features that one must enable first.

Whoever loads, shows or names accounts imports it.
"""
