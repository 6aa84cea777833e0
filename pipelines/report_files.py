"""`defs.yaml` files → definitions of reports. Reads them with PyYAML, which Dagster brings along,
so that the command line knows every report without importing Dagster.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import yaml

from pipelines.definition import Definition, Fault
from pipelines.report_rules import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["COMPONENT", "FOLDER", "Found", "read_definitions"]

#: Where reports are looked for: each `defs.yaml` in it, at any depth.
FOLDER: Final = Path(__file__).parent / "defs"

#: The `type` of a report; other components in the folder are Dagster's business.
COMPONENT: Final = "pipelines.components.InsightsReport"

#: Values that a key may have: what it must be, in words, and how it is read.
_Reader = tuple[str, "Callable[[Any], Any]"]

#: (line of a key, or of a key's value) in a file.
Lines = dict[tuple[str, str], int]


class Found:
    """Definitions by name, where each stands, and everything that is wrong, as ``file:line: …``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}
        self.faults: list[str] = []
        self._places: dict[str, tuple[Path, Lines]] = {}

    def add(self, definition: Definition, path: Path, lines: Lines) -> None:
        """Take in a definition, unless there is one of its name."""
        if definition.name in self._places:
            other, at = self._places[definition.name]
            where = f"{_shown(other)}:{at['name', '']}"
            rule = f"there is a report of this name already, in {where}"
            self.fault(path, lines, Fault("name", definition.name, rule))
            return
        self._places[definition.name] = path, lines
        self.definitions[definition.name] = definition

    def fault(self, path: Path, lines: Lines, fault: Fault) -> None:
        """Note what is wrong, at the line of the value, or else of its key, or of the report."""
        places = ((fault.key, fault.value), (fault.key, ""), ("", ""))
        line = next(lines[place] for place in places if place in lines)
        self.faults.append(f"{_shown(path)}:{line}: {fault}")

    def fault_of(self, name: str, fault: Fault) -> None:
        """The same for a definition that was taken in."""
        self.fault(*self._places[name], fault)


def read_definitions(folder: Path = FOLDER) -> Found:
    """Read every report under a folder and check it. Raises OSError."""
    found = Found()
    for path in sorted(folder.rglob("defs.yaml")):
        try:
            for attributes, lines in _documents(path):
                _take(found, path, attributes, lines)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            lines = {("", ""): mark.line + 1 if mark else 1}
            found.fault(path, lines, Fault("YAML", "", str(getattr(error, "problem", error))))
    return found


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml ships no types
    """Leaves days as the texts that they are written in: a day that is none is told by us."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _documents(path: Path) -> Iterator[tuple[Any, Lines]]:
    """The attributes of each report in a file, and where they stand in it."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        while loader.check_node():
            node = loader.get_node()
            document = loader.construct_document(node)
            if isinstance(document, dict) and document.get("type") == COMPONENT:
                yield document.get("attributes"), _lines(node)
    finally:
        loader.dispose()


def _lines(document: yaml.MappingNode) -> Lines:
    lines = {("", ""): document.start_mark.line + 1}
    for name, attributes in document.value:
        if name.value != "attributes":
            continue
        lines["", ""] = name.start_mark.line + 1
        if not isinstance(attributes, yaml.MappingNode):
            continue
        for key, value in attributes.value:
            lines[key.value, ""] = key.start_mark.line + 1
            entries = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for entry in entries:
                lines[key.value, str(entry.value)] = entry.start_mark.line + 1
    return lines


def _take(found: Found, path: Path, attributes: Any, lines: Lines) -> None:
    if not isinstance(attributes, dict):
        found.fault(path, lines, Fault("attributes", "", "is missing: it says what to ask for"))
        return
    wrong = [*_shape(attributes)]
    if not wrong:
        read = {key: _READERS[key][1](value) for key, value in attributes.items()}
        definition = Definition(**read)
        wrong = [*faults(definition)]
        found.add(definition, path, lines)
    for fault in wrong:
        found.fault(path, lines, fault)


def _shape(attributes: Mapping[Any, Any]) -> Iterator[Fault]:
    """Keys that are not known or missing, and values that are no text, number or list."""
    for key, value in attributes.items():
        if key not in _READERS:
            near = get_close_matches(str(key), _READERS, n=1)
            hint = f"; do you mean {near[0]}?" if near else f"; there are {', '.join(_READERS)}"
            yield Fault(str(key), "", f"is no key of a report{hint}")
            continue
        wanted, read = _READERS[key]
        try:
            read(value)
        except (TypeError, ValueError):
            shown = "" if isinstance(value, list | dict) else str(value)
            yield Fault(key, shown, f"write {wanted}")
    for key in _REQUIRED - attributes.keys():
        yield Fault(key, "", "is missing")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _day(value: Any) -> date:
    return date.fromisoformat(_text(value))


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(entry) for entry in value)


_KINDS: Final[Mapping[str, _Reader]] = {
    "str": ("a text", _text),
    "int": ("a whole number", _number),
    "date": ("a day like 2026-11-21", _day),
    "tuple[str, ...]": ("a list of texts, like [impressions, spend]", _texts),
}

_READERS: Final[Mapping[str, _Reader]] = {
    field.name: _KINDS[str(field.type)] for field in fields(Definition)
}

_REQUIRED: Final = {field.name for field in fields(Definition) if field.default is MISSING}


def _shown(path: Path) -> str:
    """A path as one finds it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
