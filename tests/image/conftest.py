"""Elsewhere than in `make test-image` nothing of this folder runs: it needs root, and gigabytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

IS_ASKED_FOR: Final = "IMAGE" in os.environ

HERE: Final = Path(__file__).parent

#: These need no image.
ALWAYS: Final = {"test_compose.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not IS_ASKED_FOR and HERE in item.path.parents and item.path.name not in ALWAYS:
            item.add_marker(pytest.mark.skip(reason="needs root and buildah: make test-image"))
