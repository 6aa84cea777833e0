"""The page docs/presets.md, generated from the ready reports and the rules (`fbinsights docs
--presets`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.project.ready_reports import PROOFS, ready_reports
from pipelines.project.ready_tables import ready_tables
from pipelines.reports.catalog import Report
from pipelines.reports.docs import limits_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipelines.project.ready_reports import ReadyReport

__all__ = ["render_presets"]

_PROOFS: Final = "\n".join(f"- `{word}`: {meaning}." for word, meaning in PROOFS.items())

_SUMS: Final = "impressions, clicks and spend"

_INTRO: Final = f"""\
# Ready reports

Generated from `pipelines/project/ready` by `fbinsights docs --presets > docs/presets.md`; do not
edit. `fbinsights add` lists these reports and [tables](#tables-of-objects),
`fbinsights add NAME...` copies one or more into `reports/`, where they are yours to change
([reports.md](reports.md)). `insights_hourly` and `insights_daily` are
built in. The tests load each from the sandbox and run its query.

*Per*: what a row is of, besides its breakdowns; of one day, unless a week or month is named.
*Rows*: how many to expect for each of these with delivery, as seen in recorded responses; large
accounts have more. *Proven*: what of them is compared with Meta's own totals, and must be equal
([verdicts.md](verdicts.md)):

{_PROOFS}

*Elsewhere* names connectors with a report of the same question, as of 2026-11. The sources of what
Meta limits are in [breakdowns.md](breakdowns.md). A breakdown that is opt-in is empty until the
account enables its feature; `loads.reason` then says whether it has
([reports.md](reports.md#features-that-an-account-must-enable)).
"""


def render_presets() -> str:
    """The page, in Markdown."""
    ready = ready_reports().values()
    sections = (line for one in ready for line in _section(one))
    return "\n".join((_INTRO, *_table(ready), *_tables(), *sections))


def _table(ready: Iterable[ReadyReport]) -> Iterator[str]:
    yield "| report | per | rows | proven | limits at Meta |"
    yield "|---|---|---|---|---|"
    for one in ready:
        link = f"[{one.name}](#{one.name})"
        yield f"| {link} | {one.per} | {one.rows} | `{one.proven}` | {one.limits} |"
    yield ""


def _tables() -> Iterator[str]:
    yield "## Tables of objects\n"
    yield "Of each there is a table of the latest state, and one of every state (`..._history`).\n"
    yield "| table | edge | what is in it | what it costs |"
    yield "|---|---|---|---|"
    for one in ready_tables().values():
        name = f"[{one.name}](../pipelines/project/ready_tables/{one.name}.yaml)"
        yield f"| {name} | `{one.spec.edge}` | {one.answers} | {' '.join(one.costs.split())} |"
    yield ""


def _section(one: ReadyReport) -> Iterator[str]:
    yield f"## {one.name}\n"
    yield f"{one.answers} {one.costs} ([file](../pipelines/project/ready/{one.name}.yaml))\n"
    limits = [f"  - {limit}" for limit in limits_of(one.spec)]
    first = one.limits or ("see below" if limits else "none known")
    yield "\n".join([f"- Meta limits: {first}", *limits])
    yield "\n".join(_not_proven(one))
    yield f"- Elsewhere: {one.elsewhere}\n"
    yield f"```sql\n{one.query}```\n"


def _not_proven(one: ReadyReport) -> Sequence[str]:
    report = Report.of(one.spec)
    if why := report.no_sums:
        return [f"- Not proven: {why}"]
    is_list = any(column.kind == "actions" for column in report.table.columns)
    why = report.no_conversions if is_list else ""
    if why:
        return [f"- Proven: {_SUMS}; not actions, because {why}"]
    return [f"- Proven: {_SUMS}" + ("; actions too" if is_list else "; it requests no actions")]
