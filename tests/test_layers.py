"""The floors of the house: a room imports only rooms below it, types included; nothing in a circle.

docs/architecture.md says what is in each room, and each says it in its `__init__`.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGES: Final = ("fbgraph", "warehouse", "pipelines")

#: Nothing of the client may know it, and no production load imports it.
SANDBOX: Final = "fbgraph.sandbox"

#: room → the rooms of ours that it may import: everything but itself. A room is a folder, or a
#: module that lies right in its package; the sandbox is a package of rooms too. `*` stands for a
#: package with all that is in it but the sandbox; that is imported as a whole or not at all.
MAY_IMPORT: Final[Mapping[str, str]] = {
    "fbgraph.catalog": "",
    "fbgraph.errors": "catalog",
    "fbgraph.limits": "errors",
    "fbgraph.http": "catalog errors limits",
    "fbgraph.objects": "catalog errors http limits",
    "fbgraph.client": "catalog errors http limits objects",
    "fbgraph.reports": "catalog client errors http limits objects",
    "fbgraph.fields": "catalog",
    "fbgraph": "client http objects",
    "fbgraph.sandbox.protocol": "",
    "fbgraph.sandbox.world": "",
    "fbgraph.sandbox.objects": "fbgraph.catalog protocol world",
    "fbgraph.sandbox.insights": "fbgraph.catalog objects protocol world",
    "fbgraph.sandbox.limits": "protocol world",
    "fbgraph.sandbox.faults": "fbgraph.catalog insights limits objects protocol world",
    "fbgraph.sandbox.scenarios": "faults insights limits protocol world",
    "fbgraph.sandbox.state": "faults insights limits protocol scenarios world",
    "fbgraph.sandbox.endpoints": "fbgraph.catalog faults insights objects protocol state world",
    "fbgraph.sandbox.server": "fbgraph.catalog endpoints limits protocol scenarios state world",
    "fbgraph.sandbox": "fbgraph.sandbox.scenarios fbgraph.sandbox.server fbgraph.sandbox.world",
    "warehouse.errors": "",
    "warehouse.wording": "",
    "warehouse.schema": "errors",
    "warehouse.storage": "errors",
    "warehouse.decode": "errors schema wording",
    "warehouse.lake": "decode errors schema storage wording",
    "warehouse.published": "decode errors lake schema storage wording",
    "warehouse": "published",
    "pipelines.errors": "fbgraph.* warehouse.*",
    "pipelines.escaping": "",
    "pipelines.interrupts": "",
    "pipelines.reports": "errors settings variables fbgraph.* warehouse.*",
    "pipelines.state": "dagster_private errors fbgraph.* warehouse.*",
    "pipelines.variables": "fbgraph.* warehouse.*",
    "pipelines.settings": "errors state variables fbgraph.* warehouse.*",
    "pipelines.loading": "errors reports settings state fbgraph.* warehouse.*",
    "pipelines.resources": "errors settings state fbgraph.* warehouse.*",
    "pipelines.watching": "escaping settings state fbgraph.* warehouse.*",
    "pipelines.overview": "warehouse.*",
    "pipelines.comparing": "errors fbgraph.* warehouse.*",
    "pipelines.agents": "errors overview settings fbgraph.* warehouse.*",
    "pipelines.defs": "asset_keys dagster_private errors escaping loading overview reports"
    " resources settings state watching fbgraph.* warehouse.*",
    "pipelines.asset_keys": "errors reports",
    "pipelines.assembly": "asset_keys defs reports resources",
    "pipelines.components": "asset_keys assembly defs errors reports settings warehouse.*",
    "pipelines.definitions": "assembly defs reports settings state",
    "pipelines.project": "errors reports settings state variables warehouse.*",
    "pipelines.cli": "agents asset_keys comparing dagster_private defs errors escaping interrupts"
    " loading overview project reports resources settings state variables watching fbgraph.*"
    " fbgraph.sandbox warehouse.*",
    "pipelines.celery_launcher": "dagster_private",
    "pipelines.dagster_private": "",
    "pipelines": "",
}

#: package → what only the others may import.
NOT_HERE: Final = {
    "fbgraph": {"dagster", "obstore", "duckdb", "pandas", "pyarrow"},
    "warehouse": {"dagster", "httpx"},
    "pipelines": set[str](),
}

#: The most modules of a room, and lines of a file: more than a person keeps in mind.
MOST_MODULES: Final = 16
MOST_LINES: Final = 400

FILES: Final = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


@cache
def imported(module: str) -> frozenset[str]:
    """What a module imports, types included, `from fbgraph import fields` as fbgraph.fields."""
    return frozenset(_imported(ast.parse(FILES[module].read_text(encoding="utf-8"))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in FILES else node.module for name in named)


def ours(module: str) -> set[str]:
    return {name for name in imported(module) if name in FILES and name != module}


def room_of(module: str) -> str:
    """The folder right in a package, or the module that lies there."""
    depth = 3 if f"{module}.".startswith(f"{SANDBOX}.") else 2
    return ".".join(module.split(".")[:depth])


def may_import(room: str) -> set[str]:
    package = room.rpartition(".")[0] or room
    allowed = {room}
    for name in MAY_IMPORT[room].split():
        if name.endswith(".*"):
            of = name.removesuffix(".*")
            allowed |= {
                other
                for other in MAY_IMPORT
                if other.partition(".")[0] == of and not other.startswith(SANDBOX)
            }
        else:
            allowed.add(name if "." in name else f"{package}.{name}")
    return allowed


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    package = module.partition(".")[0]

    rooms = {room_of(name) for name in ours(module)}

    assert rooms - may_import(room_of(module)) == set()
    assert {name.partition(".")[0] for name in imported(module)} & NOT_HERE[package] == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: ours(module) for module in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_rooms_import_each_other_in_a_circle() -> None:
    TopologicalSorter({room: may_import(room) - {room} for room in MAY_IMPORT}).prepare()


def test_no_room_is_larger_than_a_person_keeps_in_mind_and_each_says_what_it_is() -> None:
    folders = {path.parent for path in FILES.values()}
    for folder in sorted(folders):
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))), folder


def test_no_file_of_the_product_or_its_tests_is_too_long() -> None:
    tests = (ROOT / "tests").rglob("*.py")
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in (*FILES.values(), *tests)}

    assert len(lines) > len(FILES)
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_room_has_one_file_or_one_that_repeats_its_name() -> None:
    names = {
        room: [name for name in FILES if name.startswith(f"{room}.") and room_of(name) == room]
        for room in MAY_IMPORT
        if FILES[room].name == "__init__.py"
    }
    for room, inside in names.items():
        last = room.rpartition(".")[2].removesuffix("s")
        repeats = [one for one in inside if last in one.removeprefix(f"{room}.").split("_")]
        assert len(inside) != 1 or room == "pipelines.components", room  # where Dagster looks
        assert repeats == [], room
