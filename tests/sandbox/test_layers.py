"""Inside the sandbox imports run one way: down, from room to room and from module to module.

Type-only imports count too: what a module cannot be read without is below it.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fbgraph.sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "fbgraph.sandbox"
FOLDER = Path(fbgraph.sandbox.__file__).parent

#: room → the rooms that it may import. The package itself exports what everybody else may use.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    room: frozenset(below.split())
    for room, below in {
        "protocol": "",
        "world": "",
        "objects": "protocol world",
        "insights": "protocol world objects",
        "limits": "protocol world",
        "faults": "protocol world objects insights limits",
        "scenarios": "protocol world insights limits faults",
        "state": "protocol world insights limits faults scenarios",
        "endpoints": "protocol world objects insights faults state",
        "server": "protocol world limits scenarios state endpoints",
        "": "world scenarios server",
    }.items()
}

#: Of the client the sandbox knows what exists at Meta, and nothing that the client decides.
OF_THE_CLIENT = ("fbgraph.catalog",)

MOST_MODULES = 16


def name_of(path: Path) -> str:
    """Below the package, ``world.tree``; a room and the package itself by their folder."""
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(FOLDER.rglob("*.py"))}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, whether at run time or for its types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(name: str) -> frozenset[str]:
    """The modules of the sandbox that one imports."""
    inner = [one for one in imported(MODULES[name]) if one.startswith(f"{PACKAGE}.")]
    found = (one.removeprefix(f"{PACKAGE}.") for one in inner)
    return frozenset(one if one in MODULES else one.rpartition(".")[0] for one in found)


def room(name: str) -> str:
    return name.partition(".")[0]


def circle(graph: Mapping[str, frozenset[str]]) -> list[str]:
    """The members of a circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        members: list[str] = error.args[1]
        return members
    return []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_rooms_below_its_own(name: str) -> None:
    allowed = MAY_IMPORT[room(name)] | {room(name)}

    assert [one for one in below(name) if room(one) not in allowed] == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_knows_of_the_client_only_what_exists_at_meta(name: str) -> None:
    ours = ("fbgraph", "warehouse", "pipelines", "tests")
    known = (PACKAGE, *OF_THE_CLIENT)
    found = [one for one in imported(MODULES[name]) if room(one) in ours]

    assert [one for one in found if not f"{one}.".startswith(tuple(f"{k}." for k in known))] == []


def test_no_modules_form_a_circle() -> None:
    assert circle({name: below(name) - {name} for name in MODULES}) == []


def test_no_rooms_form_a_circle() -> None:
    assert circle(MAY_IMPORT) == []


def test_the_table_names_the_rooms_that_there_are() -> None:
    assert {room(name) for name in MODULES} == set(MAY_IMPORT)
    assert all(rooms <= set(MAY_IMPORT) for rooms in MAY_IMPORT.values())


@pytest.mark.parametrize("name", [one for one in MAY_IMPORT if one])
def test_a_room_says_what_is_in_it_and_is_no_larger_than_a_glance(name: str) -> None:
    inside = [one.removeprefix(f"{name}.") for one in MODULES if one.startswith(f"{name}.")]
    said = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8"))) or ""

    assert "import" in said
    assert 2 <= len(inside) <= MOST_MODULES
    words = {word.rstrip("s") for one in inside for word in one.split("_")}
    assert name.rstrip("s") not in words, f"a file repeats its room's name: {inside}"


def test_a_circle_is_found() -> None:
    """The check itself can fail."""
    one, two = frozenset({"b"}), frozenset({"a"})

    assert set(circle({"a": one, "b": two})) == {"a", "b"}
    assert circle({"a": one, "b": frozenset()}) == []
