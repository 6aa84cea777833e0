"""The components of a Dagster project that are ours: its reports, and its warehouse.

`project` says which files there are. What else is in them is the project's own business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.reports.files import Problem, frame_faults, line_of, mentions, shown, take_document
from pipelines.reports.rules import places
from pipelines.reports.spec import Fault, WarehouseSpec, wrong_keys
from pipelines.reports.yaml_reader import (
    COMPONENT,
    OBJECTS,
    WAREHOUSE,
    UnreadableFileError,
    documents,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.reports.files import ReportFiles
    from pipelines.reports.yaml_reader import Document

__all__ = ["read_components"]


def read_components(found: ReportFiles, paths: Iterable[Path], environ: Mapping[str, str]) -> None:
    """Read the reports among the components of a Dagster project, and its warehouse. What else is
    in these files is the project's own business.
    """
    for path in paths:
        try:
            for document in documents(path):
                if document.type == WAREHOUSE:
                    _take_warehouse(found, path, document.resolved(environ))
                elif _is_meant(document) and document.may_be_ours:
                    before = found.locations.keys() | found.broken.keys()
                    take_document(found, path, document.resolved(environ), of_component=True)
                    found.components |= (found.locations.keys() | found.broken.keys()) - before
        except UnreadableFileError as error:
            if any(mentions(path, ours) for ours in (COMPONENT, OBJECTS, WAREHOUSE)):
                found.take(path, {("", ""): error.line}, [Fault("YAML", "", str(error))])


def _is_meant(document: Document) -> bool:
    """Whether it is meant as one of ours. In a project an edge alone does not say so."""
    is_objects = bool(document.type) and document.is_meant_as_objects
    return document.is_meant_as_report or is_objects


def _take_warehouse(found: ReportFiles, path: Path, document: Document) -> None:
    attributes = document.attributes or {}
    faults = [*frame_faults(document, WAREHOUSE, of_component=True)]
    right: Mapping[str, Any] = {}
    if not isinstance(attributes, dict):
        faults.append(Fault("attributes", "", "expected keys with values"))
    else:
        wrong, right = wrong_keys(WarehouseSpec, attributes)
        faults += [*wrong, *places(WarehouseSpec(**right))]
    if found.warehouse_at:
        rule = f"there is one already in {found.warehouse_at}: remove one"
        faults.append(Fault("type", WAREHOUSE, rule))
    found.warehouse_at = found.warehouse_at or f"{shown(path)}:{document.lines['', '']}"
    found.problems += [Problem(path, line_of(document.lines, fault), fault) for fault in faults]
    found.warehouse = None if faults else WarehouseSpec(**right)
