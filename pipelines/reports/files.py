"""`defs.yaml` files → definitions of reports, and all that is wrong with those that are not.

One file, or one report in a file, fails alone. Read with PyYAML, which Dagster brings along, so
that the command line knows every report without importing Dagster.
"""

from __future__ import annotations

import os
import re
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.reports.rules import findings
from pipelines.reports.spec import Definition, Fault
from pipelines.reports.yaml_lines import COMPONENT, Document, Lines, UnreadableFileError, documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["COMPONENT", "FOLDER", "Broken", "Found", "Told", "read_definitions", "shown"]

#: Where reports are looked for: each `defs.yaml` in it, at any depth.
FOLDER: Final = Path(__file__).parent / "presets"

#: The one name of a file that both Dagster and the command line read.
FILE: Final = "defs.yaml"

#: Values that a key may have: what it must be, in words, and how it is read.
_Reader = tuple[str, "Callable[[Any], Any]"]

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: Keys of a document beside `type` and `attributes` that are Dagster's own.
_DAGSTERS: Final = frozenset({"requirements", "template_vars_module", "post_processing"})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing to say, and where."""

    path: Path
    line: int
    fault: Fault

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}: {self.fault}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A report, or a file, that cannot be loaded: why, and as far as it could be read, what."""

    told: Sequence[Told]
    definition: Definition | None = None

    def __str__(self) -> str:
        return "\n".join(f"  {told}" for told in self.told if not told.fault.is_warning)


@dataclass(slots=True)
class Found:
    """What was read: definitions that can be loaded by name, `broken` ones by name or else by path,
    and all there is to say about either.
    """

    definitions: dict[str, Definition] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    places: dict[str, tuple[Path, Lines]] = field(default_factory=dict)

    @property
    def faults(self) -> Sequence[str]:
        """What keeps reports from loading, as ``file:line: key: value: rule``."""
        return [str(told) for told in self.told if not told.fault.is_warning]

    @property
    def warnings(self) -> Sequence[str]:
        return [str(told) for told in self.told if told.fault.is_warning]

    def warnings_of(self, name: str) -> Sequence[str]:
        """Warnings about one report."""
        path, lines = self.places[name]
        first, last = min(lines.values()), max(lines.values())
        return [
            str(told)
            for told in self.told
            if told.fault.is_warning and told.path == path and first <= told.line <= last
        ]

    def take(
        self, path: Path, lines: Lines, faults: Sequence[Fault], definition: Definition | None
    ) -> None:
        """Take in one report, or what is wrong with it. `definition` is None where it could not be
        read as a whole.
        """
        name = definition.name if definition else ""
        if name in self.places:
            other, at = self.places[name]
            rule = f"there is a report of this name already, in {shown(other)}:{at['name', '']}"
            faults, definition = [*faults, Fault("name", name, rule)], None
        elif definition:
            self.places[name] = path, lines
        told = [Told(path, _line(lines, fault), fault) for fault in faults]
        self.told += told
        if any(not fault.is_warning for fault in faults):
            label = name if definition else f"{shown(path)}:{lines['', '']}"
            self.broken[label] = Broken(told, definition)
        elif definition:
            self.definitions[name] = definition

    def reject(self, name: str, fault: Fault) -> None:
        """Move a definition that was taken in to what is broken."""
        path, lines = self.places[name]
        told = Told(path, _line(lines, fault), fault)
        self.told.append(told)
        del self.definitions[name]
        self.broken[name] = Broken([told])


def _line(lines: Lines, fault: Fault) -> int:
    """The line of the value, or else of its key, or of the report."""
    places = ((fault.key, fault.value), (fault.key, ""), ("", ""))
    return next(lines[place] for place in places if place in lines)


def read_definitions(folder: Path = FOLDER) -> Found:
    """Read every report under a folder and check it. What cannot be read is told, never raised."""
    found = Found()
    for path in _files(folder, found):
        try:
            for document in documents(path):
                _take(found, path, document)
        except UnreadableFileError as error:
            if path.stem == "defs":
                found.take(path, {("", ""): error.line}, [Fault("YAML", "", str(error))], None)
    return found


def _files(folder: Path, found: Found) -> Iterator[Path]:
    """Files that could hold reports, in order."""

    def unreadable(error: OSError) -> None:
        where = Path(error.filename)
        found.take(where, {("", ""): 1}, [Fault("folder", "", f"{error.strerror}")], None)

    for where, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        yield from (Path(where, n) for n in sorted(names) if n.endswith((".yaml", ".yml")))


def _take(found: Found, path: Path, document: Document) -> None:
    if not (document.is_report if path.stem == "defs" else document.says_report):
        return  # another component, or nothing of ours
    faults = [*_frame(document)]
    if path.name != FILE:
        rule = f"rename it {FILE}: files of another name are not read"
        faults.insert(0, Fault("file", path.name, rule))
    definition = None
    if isinstance(document.attributes, dict):
        wrong, definition = _definition(document.attributes)
        faults += wrong
    elif not any(fault.key == "document" for fault in faults):
        rule = "write what to ask for under it, as docs/reports.md lists the keys"
        faults.append(Fault("attributes", "", rule))
    found.take(path, document.lines, faults, definition)


def _frame(document: Document) -> Iterator[Fault]:
    """What is wrong around the attributes."""
    if document.keys is None:
        rule = f"is not a report: write type: {COMPONENT}, and what to ask for under attributes"
        yield Fault("document", "", rule)
        return
    if document.type != COMPONENT:
        rule = f"write type: {COMPONENT}"
        yield (
            Fault("type", document.type, rule)
            if document.type
            else Fault("type", "", f"is missing: {rule}")
        )
    for key in document.keys:
        if key not in {"type", "attributes"} | _DAGSTERS:
            yield Fault(key, "", "is not a key here: write it under attributes, or leave it out")
    for key in document.repeated:
        yield Fault(key, "", "is written twice: YAML would keep the last one only")


#: What a definition is checked with in place of keys that are missing or cannot be read, so that
#: one of them hides no other fault. They go well with anything.
_STAND_INS: Final[Mapping[str, Any]] = {
    "name": "unnamed",
    "level": "ad",
    "fields": ("impressions", "actions"),
}


def _definition(attributes: Mapping[Any, Any]) -> tuple[Sequence[Fault], Definition | None]:
    """All that is wrong, and the definition if each of its keys could be read."""
    wrong = [*_shape(attributes)]
    bad = {fault.key for fault in wrong}
    read = {k: _READERS[k][1](v) for k, v in attributes.items() if k in _READERS and k not in bad}
    definition = Definition(**{**_STAND_INS, **read})
    rules = [fault for fault in findings(definition) if fault.key not in bad]
    return [*wrong, *rules], None if bad & _READERS.keys() else definition


def _shape(attributes: Mapping[Any, Any]) -> Iterator[Fault]:
    """Keys that are not known or missing, and values that are not a text, number or list."""
    for key, value in attributes.items():
        if key not in _READERS:
            near = get_close_matches(str(key), _READERS, n=1)
            hint = f"; do you mean {near[0]}?" if near else f"; there are {', '.join(_READERS)}"
            yield Fault(str(key), "", f"is not a key of a report{hint}")
            continue
        wanted, read = _READERS[key]
        try:
            read(value)
        except (TypeError, ValueError):
            text = "" if isinstance(value, list | dict) else str(value)
            yield Fault(key, text, f"write {wanted}")
    for key in sorted(_REQUIRED - attributes.keys()):
        yield Fault(key, "", "is missing")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _day(value: Any) -> date:
    if not _DAY.fullmatch(_text(value)):  # Python reads 20261121 and 2026-W47-6 too
        raise ValueError
    return date.fromisoformat(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(entry) for entry in value)


_LIST: Final = ("a list of texts, like [impressions, spend]", _texts)

_KINDS: Final[Mapping[str, _Reader]] = {
    "str": ("a text", _text),
    "int": ("a whole number", _number),
    "bool": ("true or false", _flag),
    "date": ("a day like 2026-11-21", _day),
    "tuple[str, ...]": _LIST,
    "tuple[str, ...] | None": _LIST,
}

_READERS: Final[Mapping[str, _Reader]] = {
    field.name: _KINDS[str(field.type)] for field in fields(Definition)
}

_REQUIRED: Final = {field.name for field in fields(Definition) if field.default is MISSING}


def shown(path: Path) -> str:
    """A path as one finds it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
