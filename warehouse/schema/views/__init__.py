"""The SQL of views, one kind in each module; `listed` has all of them by name.

The rest of `schema` and `warehouse.published` import it; what counts as a result (`results`) may be
imported by all.
"""
