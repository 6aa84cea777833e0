"""The SQL of views, one kind in each module; `warehouse.schema.views` lists them."""
