"""Many reports at once: what to ask, what to do when a report run fails, who is next, and the
engine that has it done.

Above the client; only loaders import it.
"""
