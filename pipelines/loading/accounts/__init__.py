"""Ad accounts: what of them takes more rights than reading ads, and the features that one must
enable first. Only the rest of the room `pipelines.loading` and the asset `accounts` import it.
"""
