"""Words: a name has one meaning in a package, and texts are in plain English, as
docs/architecture.md and CONTRIBUTING.md ask for.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from itertools import pairwise
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


#: Between two words: blanks, or the end of a line and the mark of a comment.
GAP: Final = r"\s+(?:#:? )?"

#: Phrases that a reader stumbles over → plain ones. "There is no" and "no longer" are `fine`.
QUAINT: Final = {
    r"(?P<fine>\b[Tt]here )?\b(?:is|are|was|were) no (?!longer\b|more\b)\w": "is not a",
    r"\b(?:stands?|stood) (?:there|in|for|beside)\b": "is, is in",
    r"\bbeside\b": "next to",
    r"\bso many\b": "the name of the number",
    r"\banew\b": "again",
    r"\bheld against\b": "compared with",
    r"\b(?:may|can|could) (?:not )?be had\b": "can be loaded",
    r"\bwill do\b": "stays valid",
}

#: Old names → the field's.
OLD_NAMES: Final = {
    r"_*demand_\w+": "require_…",
    r"unheard": "abandon",
    r"_*(?:told|said|tell|telling|heard|asking|anew|beside)": "response, reason, reported, …",
}

#: What people read: code, pages, reports; and the pages at the root.
READ: Final = ("fbgraph", "warehouse", "pipelines", "benchmarks", "docs", "reports")
PAGES: Final = ("README.md", "CONTRIBUTING.md", "Makefile")


def texts() -> Iterator[tuple[str, str]]:
    """What people read, by file."""
    found = [path for folder in READ for path in sorted((ROOT / folder).rglob("*"))]
    for path in [*found, *(ROOT / name for name in PAGES)]:
        if path.suffix in {".py", ".md", ".yaml", ".c", ".h", ""} and path.is_file():
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def quaint(text: str) -> Iterator[tuple[int, str]]:
    """Each quaint phrase of a text, with its line; it may go on in the next line."""
    for pattern in QUAINT:
        for found in re.finditer(pattern.replace(" ", GAP), text):
            if not found.groupdict().get("fine"):
                yield text.count("\n", 0, found.start()) + 1, found[0]


def names_in(source: str) -> Iterator[tuple[int, str]]:
    """Each name that a module gives to a function, class, parameter or variable."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name


def test_texts_are_plain_english() -> None:
    found = [f"{name}:{line}: {phrase}" for name, text in texts() for line, phrase in quaint(text)]

    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_the_fields_own(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(package)
        for line, name in names_in(path.read_text())
        if re.fullmatch("|".join(OLD_NAMES), name.lower())
    ]

    assert found == []


def test_a_quaint_phrase_is_found_across_lines() -> None:
    text = "It is\n    no page.\n# so\n# many of them.\nThere is no limit, it is no longer one"

    assert [line for line, _ in quaint(text)] == [1, 3]


#: What is counted in texts.
COUNTED: Final = re.compile(
    " (?:(?:ad|loaded|more|other|report) )?"
    "(?:account-days|accounts|ads|calls|characters|columns|days|fields|files|hours|ids|items|keys"
    "|lines|loads|minutes|months|objects|partitions|polls|problems|publishes|reports|requests"
    r"|rows|runs|seconds|statements|tables|times|types|values|warnings|weeks|years)\b"
)

#: Numbers that are never 1, by the expression; constants are looked at by who sets them.
NEVER_ONE: Final = {"months", "name", "number", "places", "refusals", "whole"}


def plurals(source: str) -> Iterator[tuple[int, str]]:
    """Each number in a text with a plural after it, whatever the number is."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for number, after in pairwise(node.values):
                if isinstance(number, ast.FormattedValue) and isinstance(after, ast.Constant):
                    what = ast.unparse(number.value)
                    plural = COUNTED.match(str(after.value))
                    if plural and not what.isupper() and what not in NEVER_ONE:
                        yield node.lineno, f"{{{what}}}{plural[0]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_one_of_a_thing_is_not_called_by_its_plural(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in modules(package)
        if "sandbox" not in path.parts
        for line, text in plurals(path.read_text())
    ]

    assert found == [], "use warehouse.wording.counted"


def test_a_plural_that_may_count_one_is_found() -> None:
    source = """f"{n} rows", f"{n:,} more days of", f"{DAYS} days", f"{counted(n, 'row')} of it\""""

    assert [text for _, text in plurals(source)] == ["{n} rows", "{n} more days"]
