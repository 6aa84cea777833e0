"""What Meta returns for breakdowns, from tables: the page docs/breakdowns.md (`fbinsights docs
--breakdowns`), and what limits one report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.breakdowns import (
    BREAKDOWN_STATUSES,
    FEATURE_SETTINGS,
    ONLY_NONE,
    action_breakdowns,
    breakdowns,
    combinations,
)
from pipelines.reports.rules import RETENTION, findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fbgraph.catalog.breakdowns import Breakdown, Combination
    from pipelines.reports.spec import ReportSpec

__all__ = ["limits_of", "render_breakdowns"]

_STATUSES: Final = "\n".join(
    f"- `{status}`: {meaning}" for status, meaning in BREAKDOWN_STATUSES.items()
)

_TOP: Final = f"""\
# Breakdowns: what Meta returns

Generated from `fbgraph/catalog/breakdowns.csv` and `combinations.csv` by
`fbinsights docs --breakdowns > docs/breakdowns.md`; do not edit. The rules of
[reports](reports.md) and the sandbox read the same lines. Each line has its source and month; for
what Meta removed, the day.

{_STATUSES}

`documented`, `seen` and `undocumented` load with a warning; `export`, `refused` and `retired` do
not load without `allow_unknown: true`.

*Opt-in*: each account must enable the feature first, or its days may be empty without an error;
`GET {FEATURE_SETTINGS}` lists what is enabled. *Action breakdowns*: what may be next to
it, besides `action_type`; `[]`: only an empty list.
"""


def render_breakdowns() -> str:
    """The page, in Markdown."""
    return "\n".join((_TOP, *_lines())) + "\n"


def limits_of(spec: ReportSpec) -> Iterator[str]:
    """What Meta limits about a report: notes on its breakdowns, warnings of the rules, history."""
    rows = [breakdowns()[name] for name in spec.breakdowns]
    actions = [action_breakdowns()[name] for name in spec.action_breakdowns or ()]
    for row in (*rows, *actions):
        if row.note:
            yield f"`{row.name}`: {row.note} ({row.evidence})"
    for fault in findings(spec):
        yield f"`{fault.value or fault.key}`: {fault.rule}"
    for what, is_requested, months, _ in RETENTION:
        if is_requested(spec):
            yield f"{what}: {months} months are kept"


def _lines() -> Iterator[str]:
    yield "## Breakdowns of rows\n"
    header = ("breakdown", "status", "opt-in", "from level", "fields", "action breakdowns", "note")
    yield from _table((*header, "source"), map(_row_cells, _described(breakdowns())))
    yield f"\nUndocumented: {_undocumented(breakdowns())}.\n"
    yield "## Breakdowns together\n"
    yield "Meta is not known to support any other combination.\n"
    together = {known.pattern: known for known in combinations().values()}
    cells = map(_combination_cells, together.values())
    header = ("breakdowns", "status", "documented", "seen", "refused", "action breakdowns", "note")
    yield from _table(header, cells)
    yield "\n## Action breakdowns\n"
    actions = map(_action_cells, _described(action_breakdowns()))
    yield from _table(("action breakdown", "status", "note", "source"), actions)
    yield f"\nUndocumented: {_undocumented(action_breakdowns())}."


def _described(known: Mapping[str, Breakdown]) -> Sequence[Breakdown]:
    return [row for row in known.values() if row.status != "undocumented"]


def _undocumented(known: Mapping[str, Breakdown]) -> str:
    return ", ".join(f"`{row.name}`" for row in known.values() if row.status == "undocumented")


def _row_cells(row: Breakdown) -> Sequence[str]:
    fields = _code(row.fields.replace("!", "").split())
    given = f"{'' if row.is_limited else 'not '}{fields}" if fields else ""
    return (
        *(f"`{row.name}`", row.status, row.feature, row.from_level, given),
        *(_partners(row), row.note, row.evidence),
    )


def _combination_cells(row: Combination) -> Sequence[str]:
    names = " + ".join(f"`{name}`" for name in row.pattern.split())
    shown = names if len(row.breakdowns) > 1 else f"{names} alone"
    evidence = (row.documented, row.seen, row.refused)
    return shown, row.status, *evidence, _partners(row), row.note


def _action_cells(row: Breakdown) -> Sequence[str]:
    return f"`{row.name}`", row.status, row.note, row.evidence


def _partners(row: Breakdown | Combination) -> str:
    return ONLY_NONE if ONLY_NONE in row.partners else _code(sorted(row.partners - {"action_type"}))


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
