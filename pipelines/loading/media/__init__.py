"""Pictures of ads: which are downloaded, from where, and how they are kept.

Meta's addresses of pictures expire after some days, so each picture is downloaded once and kept
under ``media/`` in the lake, by the hash of its content. `choosing`, `hosts` and `formats` decide,
`download` sends, `keeping` does it for an account. Only the rest of `pipelines.loading` imports it.
"""
