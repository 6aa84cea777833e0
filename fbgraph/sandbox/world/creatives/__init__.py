"""What creatives show and where they lead: texts, addresses, and pictures that are drawn when asked
for.

`world` imports it, and the rooms that serve creatives and pictures.
"""
