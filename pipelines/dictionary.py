"""The data dictionary with the tables of reports: ``python -m pipelines.dictionary``."""

from __future__ import annotations

import sys

import pipelines.reports  # noqa: F401  # hands the tables of reports over
from warehouse.dictionary import render

__all__ = ["render"]

if __name__ == "__main__":
    sys.stdout.write(render())
