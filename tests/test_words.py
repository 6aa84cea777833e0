"""One meaning per name: no two classes, and no constant with two values, share it in a package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]

PACKAGES: Final = ("fbgraph", "warehouse", "pipelines")


def modules(package: str) -> Iterator[Path]:
    return iter(sorted((ROOT / package).rglob("*.py")))


def defined(source: str) -> Iterator[tuple[str, str]]:
    """Each class of a module, and each constant with its value as text; type variables aside."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name):
                yield name, f"class {ast.unparse(node)}"
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name.isupper() and not ast.unparse(value).startswith("TypeVar("):
                yield name, ast.unparse(value)


def ambiguous(sources: Mapping[str, str]) -> Mapping[str, list[str]]:
    """Module → source. Names that mean more than one thing, and the modules that define them."""
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    places: defaultdict[str, list[str]] = defaultdict(list)
    for module, source in sources.items():
        for name, meaning in defined(source):
            meanings[name].add(f"{module} {meaning}" if meaning.startswith("class ") else meaning)
            places[name].append(module)
    return {name: places[name] for name, several in meanings.items() if len(several) > 1}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_of_a_package_means_two_things(package: str) -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in modules(package)}

    assert ambiguous(sources) == {}


def test_an_ambiguous_name_is_found() -> None:
    sources = {
        "a.py": "class Part: ...\nROWS = 1\nSAME: Final = 2\nT = TypeVar('T')",
        "b.py": "class Part: ...\nROWS: Final = 2\nSAME = 2\nT = TypeVar('T', bound=int)",
    }

    assert ambiguous(sources) == {"Part": ["a.py", "b.py"], "ROWS": ["a.py", "b.py"]}
