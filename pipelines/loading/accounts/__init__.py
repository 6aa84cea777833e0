"""Ad accounts: what of them takes more rights than reading ads. Only the rest of the room
`pipelines.loading` and the asset `accounts` import it.
"""
