"""`make day`: a day of 50 accounts by ticks of an hour, and by ticks of a quarter of an hour."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.day.simulation import Plan, simulate


def main() -> int:
    wrong = 0
    for plan in (Plan(), replace(Plan(), every=timedelta(minutes=15), killed={20: 0.3, 55: 0.7})):
        with TemporaryDirectory() as folder:
            figures = simulate(plan, Path(folder))
        minutes = plan.every // timedelta(minutes=1)
        told = f"{plan.accounts} accounts, a tick every {minutes} minutes: {figures}"
        sys.stdout.write("\n  ".join([told, *figures.wrong[:20]]) + "\n")
        sys.stdout.flush()
        wrong += len(figures.wrong)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
