"""What every endpoint of the Graph API shares: a call and its response, parameters and field
expansion, cursors and pages, and the table of Meta's errors.

The lowest room: it imports nothing of ours, and every other room of the sandbox may import it.
"""
