"""`make bench`: every claim about speed or memory, one after the other."""

from benchmarks import decode

decode.main()
