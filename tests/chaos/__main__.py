"""``python -m tests.chaos``: its own module, so that other processes can import what they run."""

from __future__ import annotations

import sys

from tests.chaos.long_form import main

if __name__ == "__main__":
    sys.exit(main())
