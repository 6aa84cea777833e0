"""What `dg scaffold defs pipelines.components.InsightsReport NAME` writes, and `ObjectTable`."""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import re
from typing import Any, ClassVar, Final

import click
import dagster as dg

from pipelines.reports.rules import findings
from pipelines.reports.spec import ReportSpec
from pipelines.reports.yaml_reader import COMPONENT, OBJECTS

__all__ = ["InsightsReportScaffolder", "ObjectTableScaffolder"]

_YAML: Final = """\
type: {type}
attributes:
  name: {name}
  # account, campaign, adset or ad
  level: campaign
  # What rows are split by: [country], [age, gender], [publisher_platform, platform_position] ...
  breakdowns: []
  # Ids, names, currency and what proves the rows are added. `fbinsights check` knows all fields.
  fields:
    - impressions
    - clicks
    - spend
    - actions
  # First day of the grid; Meta keeps 37 months.
  # start_date: 2026-01-01
  # Every key: docs/reports.md of fbinsights
"""

_PYTHON: Final = '''\
import dagster as dg
from {module} import InsightsReport


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> InsightsReport:
    """Refreshes, schedules and the command line of fbinsights do not know a report that is written
    in Python: they read defs.yaml.
    """
    return InsightsReport(
        name="{name}",
        level="campaign",
        fields=("impressions", "clicks", "spend", "actions"),
    )
'''


_TABLE_YAML: Final = """\
type: {type}
attributes:
  name: {name}
  # An edge of an ad account: adspixels, adlabels, adrules_library, saved_audiences ...
  edge: adspixels
  # Fields of Graph by name, or with more. `fbinsights check` knows all of them.
  fields:
    - name
    - creation_time
    - last_fired_time
    - {{field: owner_business.name, name: owner, kind: text}}
  # Columns that change by themselves: not a state of the history
  moving: [last_fired_time]
  # Every key: docs/reports.md of fbinsights
"""

_TABLE_PYTHON: Final = '''\
import dagster as dg
from {module} import ObjectTable


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> ObjectTable:
    """Refreshes, schedules and the command line of fbinsights do not know a table that is written
    in Python: they read defs.yaml.
    """
    return ObjectTable(name="{name}", edge="adspixels", fields=("name", "creation_time"))
'''


class _Scaffolder(dg.Scaffolder[Any]):
    """Writes something that loads, to be changed: named after its folder."""

    noun: ClassVar[str]
    type: ClassVar[str]
    yaml: ClassVar[str]
    python: ClassVar[str]

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Raises ClickException, which `dg` prints, if nothing can be named after the folder."""
        at = request.target_path
        name = _name((at.parent if request.append else at).name, request, self.noun)
        if request.scaffold_format == "python":
            module = self.type.rpartition(".")[0]
            (at / "component.py").write_text(self.python.format(name=name, module=module), "utf-8")
            return
        text = self.yaml.format(type=self.type, name=name)
        if request.append:
            with at.open("a", encoding="utf-8") as file:
                file.write(f"---\n{text}")
        else:
            (at / "defs.yaml").write_text(text, "utf-8")


class InsightsReportScaffolder(_Scaffolder):
    """A report."""

    noun = "A report"
    type = COMPONENT
    yaml = _YAML
    python = _PYTHON


class ObjectTableScaffolder(_Scaffolder):
    """A table of objects."""

    noun = "A table of objects"
    type = OBJECTS
    yaml = _TABLE_YAML
    python = _TABLE_PYTHON


def _name(folder: str, request: dg.ScaffoldRequest[Any], noun: str) -> str:
    """A name that nothing else in the same file has."""
    name = re.sub("[^a-z0-9]+", "_", folder.lower()).strip("_")
    if request.append:
        taken = request.target_path.read_text("utf-8")
        names = (name, *(f"{name}_{n}" for n in range(2, 1000)))
        name = next(one for one in names if not re.search(rf"name:\s*{one}\b", taken))
    for fault in findings(ReportSpec(name=name, level="campaign", fields=("spend",))):
        if not request.append and not any(request.target_path.iterdir()):
            request.target_path.rmdir()  # dg has made it
        raise click.ClickException(f"{noun} cannot be named after the folder {folder}: {fault}")
    return name
