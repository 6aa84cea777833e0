"""Many reports at once: what to request, what to do when a report run fails, what is started next,
and the engine that does it. Above the client; only loaders import it.
"""
