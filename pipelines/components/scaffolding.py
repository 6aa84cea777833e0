"""What `dg scaffold defs pipelines.components.InsightsReport NAME` writes."""

# No `from __future__ import annotations`: Dagster reads the annotations of the fields as objects.
import re
from typing import Any, Final

import click
import dagster as dg

from pipelines.reports.rules import findings
from pipelines.reports.spec import ReportSpec
from pipelines.reports.yaml_lines import COMPONENT

__all__ = ["InsightsReportScaffolder"]

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


class InsightsReportScaffolder(dg.Scaffolder[Any]):
    """Writes a report that loads, to be changed: named after its folder."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Raises ClickException, which `dg` prints, if no report can be named after the folder."""
        at = request.target_path
        name = _name((at.parent if request.append else at).name, request)
        if request.scaffold_format == "python":
            module = COMPONENT.rpartition(".")[0]
            (at / "component.py").write_text(_PYTHON.format(name=name, module=module), "utf-8")
            return
        text = _YAML.format(type=COMPONENT, name=name)
        if request.append:
            with at.open("a", encoding="utf-8") as file:
                file.write(f"---\n{text}")
        else:
            (at / "defs.yaml").write_text(text, "utf-8")


def _name(folder: str, request: dg.ScaffoldRequest[Any]) -> str:
    """A name that no other report in the same file has."""
    name = re.sub("[^a-z0-9]+", "_", folder.lower()).strip("_")
    if request.append:
        taken = request.target_path.read_text("utf-8")
        names = (name, *(f"{name}_{n}" for n in range(2, 1000)))
        name = next(one for one in names if not re.search(rf"name:\s*{one}\b", taken))
    for fault in findings(ReportSpec(name=name, level="campaign", fields=("spend",))):
        if not request.append and not any(request.target_path.iterdir()):
            request.target_path.rmdir()  # dg has made it
        raise click.ClickException(f"A report cannot be named after the folder {folder}: {fault}")
    return name
