"""The ready tables of objects of `fbinsights add`: each YAML file in `ready_tables` is one, named
after its table. Its `description` says what is in it, the comment above it what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.reports.files import read_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.reports.object_spec import ObjectSpec

__all__ = ["READY_TABLES", "ReadyTable", "ready_tables"]

READY_TABLES: Final = Path(__file__).parent / "ready_tables"


@dataclass(frozen=True, slots=True)
class ReadyTable:
    """`costs`: what its comment says. `text`: the file."""

    spec: ObjectSpec
    costs: str
    text: str

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def answers(self) -> str:
        return self.spec.description


def ready_tables() -> Mapping[str, ReadyTable]:
    """Name → ready table, in the order of their names."""
    paths = sorted(READY_TABLES.glob("*.yaml"))
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> ReadyTable:
    text = path.read_text(encoding="utf-8")
    spec = read_files([path]).objects[path.stem]
    comment = text.partition("type:")[0].replace("# ", "").strip()
    return ReadyTable(spec, comment, text)
