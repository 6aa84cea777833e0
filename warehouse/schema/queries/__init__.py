"""The SQL of views, one kind in each module; `warehouse.schema.views` lists them.

The rest of `schema` and `warehouse.published` import it; what counts as a result (`results`) may be
imported by all.
"""
