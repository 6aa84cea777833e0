"""The made-up world: accounts and the objects in them, days and their hours, and what every ad
delivers in each of them, all of it from a seed.

It imports nothing of ours; every room but `protocol` may import it.
"""
