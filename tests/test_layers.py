"""Imports run one way: pipelines know the other two, and those know neither each other nor it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

#: folder → the modules of ours that it may import. The first folder that fits counts.
MAY_IMPORT = {
    "fbgraph/sandbox": ("fbgraph.sandbox", "fbgraph.fields", "fbgraph.versions"),
    "fbgraph": ("fbgraph",),
    "warehouse": ("warehouse",),
    "pipelines": ("pipelines", "fbgraph", "warehouse"),
}
OURS = ("fbgraph", "warehouse", "pipelines", "tests")

#: folder → what only the others may import.
NOT_HERE = {
    "fbgraph": {"boto3", "dagster", "duckdb", "pandas", "pyarrow"},
    "warehouse": {"dagster", "httpx", "tenacity"},
}

FILES = [path for folder in OURS[:3] for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, `from fbgraph import fields` as fbgraph.fields."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = (ROOT / node.module.replace(".", "/")).is_dir()
            yield from (
                f"{node.module}.{alias.name}"
                if modules and (ROOT / node.module.replace(".", "/") / f"{alias.name}.py").exists()
                else node.module
                for alias in node.names
            )


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_floor_may(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    allowed = next(may for folder, may in MAY_IMPORT.items() if name.startswith(folder + "/"))
    barred = NOT_HERE.get(name.split("/", maxsplit=1)[0], set())

    modules = list(imported(path))

    assert [m for m in modules if within(m, OURS) and not within(m, allowed)] == []
    assert [m for m in modules if m.split(".")[0] in barred] == []
