"""Report files → specs, and everything that is wrong in them; `yaml_reader` reads the YAML.

A broken file, or a broken report in a file, does not affect the others. PyYAML, a dependency of
Dagster, reads them, so the command line knows every report without importing Dagster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.reports.object_rules import object_findings
from pipelines.reports.object_spec import ObjectSpec, read_object_spec
from pipelines.reports.rules import findings
from pipelines.reports.spec import (
    USUAL,
    WARNING,
    Fault,
    ReportSpec,
    WarehouseSpec,
    read_spec,
)
from pipelines.reports.yaml_files import is_yaml
from pipelines.reports.yaml_reader import (
    COMPONENT,
    OBJECTS,
    WAREHOUSE,
    Document,
    Lines,
    UnreadableFileError,
    documents,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "Broken",
    "Problem",
    "ReportFiles",
    "frame_faults",
    "in_order",
    "line_of",
    "mentions",
    "problems_of",
    "read_files",
    "shown",
    "take_document",
]

_ELSEWHERE: Final = (
    f"is not a report, and only reports are read here (type: {COMPONENT}, or {OBJECTS} for a table"
    " of objects). Components and Python definitions of your own belong in a Dagster project of"
    " your own (docs/reports.md)"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault with its file and line."""

    path: Path
    line: int
    fault: Fault

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}: {self.fault}"


def in_order(problems: Iterable[Problem]) -> Sequence[Problem]:
    """Problems file by file, as the files come, and in each by line."""
    listed = [*problems]
    files = {path: at for at, path in enumerate(dict.fromkeys(one.path for one in listed))}
    return sorted(listed, key=lambda one: (files[one.path], one.line))


@dataclass(frozen=True, slots=True)
class Broken:
    """What cannot be loaded: why, a report's spec as far as it could be read, and what it is."""

    problems: Sequence[Problem]
    spec: ReportSpec | None = None
    noun: str = ReportSpec.noun

    @property
    def why(self) -> str:
        return f"this {self.noun.removeprefix('a ')} cannot be loaded:\n{self}"

    def __str__(self) -> str:
        faults = (one for one in self.problems if not one.fault.is_warning)
        return "\n".join(f"  {one}" for one in in_order(faults))


@dataclass(slots=True)
class ReportFiles:
    """What was read: by name, the specs of reports and `objects` that can be loaded; by name, or
    else as ``file:line``, the `broken` ones; and everything that is wrong or doubtful. `locations`:
    where each name is; `repeats`: where it is again. `components`: those of them that are
    components of a Dagster project. `warehouse`: what it says of everything else; None if that
    cannot be read.
    """

    specs: dict[str, ReportSpec] = field(default_factory=dict)
    objects: dict[str, ObjectSpec] = field(default_factory=dict)
    broken: dict[str, Broken] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    locations: dict[str, tuple[Path, Lines]] = field(default_factory=dict)
    repeats: dict[str, list[tuple[Path, Lines]]] = field(default_factory=dict)
    components: set[str] = field(default_factory=set)
    warehouse: WarehouseSpec | None = USUAL
    warehouse_at: str = ""

    @property
    def faults(self) -> Sequence[str]:
        """What prevents reports from loading, as ``file:line: key: value: rule``."""
        return [str(one) for one in in_order(self.problems) if not one.fault.is_warning]

    def warnings_of(self, name: str) -> Sequence[str]:
        """Warnings about one report."""
        path, lines = self.locations[name]
        first, last = min(lines.values()), max(lines.values())
        return [
            str(one)
            for one in in_order(self.problems)
            if one.fault.is_warning and one.path == path and first <= one.line <= last
        ]

    def take(  # noqa: PLR0913, PLR0917  # what is known of one
        self,
        path: Path,
        lines: Lines,
        faults: Sequence[Fault],
        name: str = "",
        spec: ReportSpec | ObjectSpec | None = None,
        noun: str = ReportSpec.noun,
    ) -> None:
        """Add one report or table of objects, or what is wrong with it. `name` is empty and `spec`
        None if they could not be read. A name that comes again is only noted: `reject_repeats`.
        """
        problems = [Problem(path, line_of(lines, fault), fault) for fault in faults]
        self.problems += problems
        if name in self.locations:
            self.repeats.setdefault(name, []).append((path, lines))
            if any(not fault.is_warning for fault in faults):
                before = self.broken.get(name) or self._withdrawn(name)
                self.broken[name] = replace(before, problems=[*before.problems, *problems])
            return
        if name:
            self.locations[name] = path, lines
        if any(not fault.is_warning for fault in faults):
            report = spec if isinstance(spec, ReportSpec) else None
            self.broken[name or f"{shown(path)}:{lines['', '']}"] = Broken(problems, report, noun)
        elif isinstance(spec, ObjectSpec):
            self.objects[name] = spec
        elif spec:
            self.specs[name] = spec

    def _withdrawn(self, name: str) -> Broken:
        """What was taken under a name, as one that cannot be loaded."""
        noun = ReportSpec.noun if self.objects.pop(name, None) is None else ObjectSpec.noun
        return Broken((), self.specs.pop(name, None), noun)

    def reject(self, name: str, fault: Fault) -> None:
        """Move an added spec to the broken ones."""
        path, lines = self.locations[name]
        problem = Problem(path, line_of(lines, fault), fault)
        self.problems.append(problem)
        self.broken[name] = replace(self._withdrawn(name), problems=[problem], spec=None)

    def reject_repeats(self) -> None:
        """Use none of the reports that share a name: one of them may be a stray copy, and nobody
        can tell which.
        """
        for name, repeats in self.repeats.items():
            places = [self.locations[name], *repeats]
            found = [
                Problem(path, line_of(lines, fault := _repeated(name, places, at)), fault)
                for at, (path, lines) in enumerate(places)
            ]
            self.problems += found
            before = self.broken.get(name) or self._withdrawn(name)
            self.broken[name] = replace(before, problems=[*before.problems, *found])


def _repeated(name: str, places: Sequence[tuple[Path, Lines]], at: int) -> Fault:
    """That the report at one of some places has the name of those at the others."""
    others = " and ".join(
        f"{shown(path)}:{lines.get(('name', ''), lines['', ''])}"
        for place, (path, lines) in enumerate(places)
        if place != at
    )
    rule = f"this name is also in {others}, so none of them is loaded: rename or remove all but one"
    return Fault("name", name, rule)


def line_of(lines: Lines, fault: Fault) -> int:
    """The line of the value that a fault is about, or else of its key, or of the report."""
    locations = ((fault.key, fault.value), (fault.key, ""), ("", ""))
    return next(lines[location] for location in locations if location in lines)


def read_files(
    paths: Iterable[Path],
    presets: Iterable[Path] = (),
    read_more: Callable[[ReportFiles], None] = lambda _: None,
) -> ReportFiles:
    """Read and check every report of some files. What cannot be read becomes a problem; nothing is
    raised.

    A preset, a file with one report of its own name, is left out where a file has a report of that
    name, even one that cannot be read: its table must not lose the columns that it was given.
    `read_more` reads what else there is, before the presets.
    """
    found = ReportFiles()
    built_in = {path.stem: path for path in presets}
    for path in paths:
        _read(found, path, built_in)
    read_more(found)
    for name, path in built_in.items():
        if name not in found.locations:
            _read(found, path)
    found.reject_repeats()
    return found


def _read(found: ReportFiles, path: Path, presets: Iterable[str] = ()) -> None:
    if path.is_dir() or not is_yaml(path.name):
        fault = _UNREADABLE_FOLDER if path.is_dir() else _misnamed(path)
        found.take(path, {("", ""): 1}, [fault])
        return
    try:
        for document in documents(path):
            take_document(found, path, document)
    except UnreadableFileError as error:
        meant = next((name for name in presets if mentions(path, name)), "")
        name = "" if meant in found.locations else meant
        found.take(path, {("", ""): error.line}, [Fault("YAML", "", str(error))], name)


_UNREADABLE_FOLDER: Final = Fault("folder", "", "cannot be read: check its permissions")


def _misnamed(path: Path) -> Fault:
    stem = re.split("[.]", path.name)[0]
    rule = (
        f"is not read: names of files with reports end in .yaml or .yml. Rename it to {stem}.yaml,"
        " or move it out of this folder"
    )
    return Fault("file", "", rule, WARNING)


def mentions(path: Path, name: str) -> bool:
    """Whether a file that cannot be read as a whole may be about a report."""
    try:
        return name == path.stem or (path.is_file() and name.encode() in path.read_bytes())
    except OSError:
        return False


def take_document(
    found: ReportFiles, path: Path, document: Document, *, of_component: bool = False
) -> None:
    """Add the report or the table of objects of a document, or what is wrong with it."""
    is_objects = document.is_meant_as_objects
    of_type = OBJECTS if is_objects else COMPONENT
    faults = [*frame_faults(document, of_type, of_component=of_component)]
    attributes = document.attributes
    if document.keys is None or _is_other(document):
        found.take(path, document.lines, faults)
    elif is_objects and isinstance(attributes, dict):
        wrong, objects = read_object_spec(attributes)
        faults += _all_faults(wrong, object_findings(objects))
        known = _name(attributes), objects, ObjectSpec.noun
        found.take(path, document.lines, faults, *known)
    elif isinstance(attributes, dict):
        wrong, spec = read_spec(attributes)
        faults += _all_faults(wrong, findings(spec))
        is_whole = {fault.key for fault in wrong}.isdisjoint(ReportSpec.model_fields)
        found.take(path, document.lines, faults, _name(attributes), spec if is_whole else None)
    else:
        rule = "write what to request under it; docs/reports.md lists the keys"
        found.take(path, document.lines, [*faults, Fault("attributes", "", rule)])


def _all_faults(wrong: Sequence[Fault], found: Sequence[Fault]) -> Sequence[Fault]:
    """What is wrong with keys, and what rules find about the others."""
    bad = {fault.key for fault in wrong}
    return [*wrong, *(fault for fault in found if fault.key not in bad)]


def _name(attributes: dict[Any, Any]) -> str:
    name = attributes.get("name")
    return name if isinstance(name, str) else ""


def _is_other(document: Document) -> bool:
    """Whether it is a component of another type, and not a report with a typo in its type."""
    is_meant = document.is_meant_as_report or document.is_meant_as_objects
    return bool(document.type) and not is_meant


#: What else Dagster takes around the attributes of a component.
_OF_DAGSTER: Final = frozenset({"post_processing", "requirements", "template_vars_module"})


def frame_faults(document: Document, of_type: str, *, of_component: bool) -> Iterator[Fault]:
    """What is wrong around the attributes."""
    if document.keys is None:
        what = "is empty" if document.is_empty else "is not a report"
        rule = f"{what}: write type: {COMPONENT}, and what to request under attributes"
        yield Fault("document", "", rule)
        return
    if of_type != WAREHOUSE and _is_other(document):
        yield Fault("type", document.type, _ELSEWHERE)
        return
    if not document.type:
        yield Fault("type", "", f"is missing: write type: {of_type}")
    elif document.type != of_type:
        yield Fault("type", document.type, f"write type: {of_type}")
    known = {"type", "attributes", *(_OF_DAGSTER if of_component else ())}
    for key in document.keys:
        if key not in known:
            yield Fault(
                key, "", "is not a key at this level: move it under attributes, or remove it"
            )
    for key in document.repeated:
        yield Fault(key, "", "is written twice: YAML would keep only the last one; remove one")


def problems_of(spec: ReportSpec | ObjectSpec, path: Path) -> Sequence[Problem]:
    """What is wrong or doubtful about a spec that Dagster has read from a file."""
    lines: Lines = {("", ""): 1}
    for document in documents(path) if path.is_file() and is_yaml(path.name) else ():
        attributes = document.attributes
        if isinstance(attributes, dict) and attributes.get("name") == spec.name:
            lines = document.lines
    found = object_findings(spec) if isinstance(spec, ObjectSpec) else findings(spec)
    return [Problem(path, line_of(lines, fault), fault) for fault in found]


def shown(path: Path) -> str:
    """A path, relative to the working directory if it is in it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
