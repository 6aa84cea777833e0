"""The reader in C, compiled where there is a compiler; README.md says why and how to do without.

Only `decode.casts` calls it; `fbinsights doctor` asks whether it could be compiled.
"""
