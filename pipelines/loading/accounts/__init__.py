"""Ad accounts: which there are, at Meta and in the lake, what of them takes more rights than
reading ads, and the features that one must enable first.

Everything that loads, shows or names accounts imports it.
"""
