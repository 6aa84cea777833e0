"""Who advertises in a world, and what: a company that looks like one, one whose names are chosen
to hurt, or the clients of an agency. Each is a plan, which `tree` walks.

It imports nothing of ours but `world.settings`; the rest of `world` and the rooms above may import
it.
"""
