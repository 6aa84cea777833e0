"""What trials came to, added up, and told in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.chaos.expected import EXPECTED, name_of
from tests.chaos.judge import EQUAL, complaints, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.trial import Trial

__all__ = ["Report", "Summary"]


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one trial; `states` counts account-days by how they ended."""

    plan: str
    scenarios: Sequence[str]
    complaints: Sequence[str]
    states: Counter[str]
    rows_equal: int
    faults: Counter[str]
    calls: int
    runs: int
    hours: float
    seconds: float

    @classmethod
    def of(cls, trial: Trial) -> Self:
        ends = states(trial)
        return cls(
            plan=str(trial.plan),
            scenarios=tuple(map(name_of, trial.plan.scenarios)),
            complaints=complaints(trial),
            states=Counter(ends.values()),
            rows_equal=sum(len(trial.rows[one]) for one, end in ends.items() if end == EQUAL),
            faults=Counter(trial.calls["faults"]),
            calls=len(trial.heard),
            runs=len(trial.calls["runs"]),
            hours=trial.hours,
            seconds=trial.seconds,
        )

    def __str__(self) -> str:
        ends = ", ".join(f"{n} {end}" for end, n in sorted(self.states.items()))
        figures = (
            f"{self.calls} calls, {self.runs} runs, {self.hours:.1f} h in {self.seconds:.1f} s"
        )
        lines = [f"{'BAD' if self.complaints else 'ok '} {self.plan}: {ends}; {figures}"]
        return "\n".join([*lines, *(f"      {one}" for one in self.complaints[:5])])


@dataclass(slots=True)
class Summary:
    """Adds up reports."""

    reports: list[Report] = field(default_factory=list)

    @property
    def bad(self) -> Sequence[Report]:
        return [report for report in self.reports if report.complaints]

    def __str__(self) -> str:
        reports = self.reports
        tried = Counter(name for one in reports for name in one.scenarios)
        faults = sum((one.faults for one in reports), Counter[str]())
        ends = sum((one.states for one in reports), Counter[str]())
        dearest = max(reports, key=lambda one: one.calls)
        return "\n".join([
            self._tried(len(tried)),
            "account-days: " + ", ".join(f"{n} {end}" for end, n in sorted(ends.items())),
            f"rows equal to the truth: {sum(one.rows_equal for one in reports)}",
            f"calls: {sum(one.calls for one in reports)}",
            f"report runs: {sum(one.runs for one in reports)}",
            f"the most calls of one load: {dearest.calls} ({dearest.plan})",
            f"virtual hours: {sum(one.hours for one in reports):.0f}",
            f"seconds: {sum(one.seconds for one in reports):.0f}",
            f"faults met: {faults.total()}",
            *(f"  {name} {faults[name]} (in {tried[name]} loads)" for name in sorted(tried)),
        ])  # fmt: skip

    def _tried(self, scenarios: int) -> str:
        return (
            f"{len(self.reports)} loads under {scenarios} of {len(EXPECTED)} scenarios;"
            f" {len(self.bad)} of them not as they should be"
        )
