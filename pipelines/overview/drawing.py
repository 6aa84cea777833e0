"""Small pictures that need no script: lines next to a number, and grids of days. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["SpendBar", "bar", "levels", "sparkline"]

WIDTH: Final = 120
HEIGHT: Final = 26

#: Radius of a value that has no neighbours.
DOT: Final = 2

#: Groups of the hours of a week that have spend.
LEVELS: Final = 6


def sparkline(values: Sequence[float | None]) -> str:
    """An SVG of a line with its area; None is a gap. From zero, so that a small change is small."""
    known = [value for value in values if value is not None]
    top = max(known, default=0.0) or 1.0
    step = WIDTH / max(1, len(values) - 1)
    points = [
        None if value is None else (n * step, HEIGHT - 1 - (HEIGHT - 3) * value / top)
        for n, value in enumerate(values)
    ]
    shapes = "".join(map(_shape, _runs(points)))
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' aria-hidden="true" preserveAspectRatio="none">{shapes}</svg>'
    )


def _runs(points: Iterable[tuple[float, float] | None]) -> Sequence[Sequence[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _shape(run: Sequence[tuple[float, float]]) -> str:
    if len(run) == 1:
        [(x, y)] = run
        x = min(max(x, DOT), WIDTH - DOT)  # all of it
        return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"/>'
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    area = f"{run[0][0]:.1f},{HEIGHT} {line} {run[-1][0]:.1f},{HEIGHT}"
    return f'<polygon class="area" points="{area}"/><polyline class="line" points="{line}"/>'


def levels(values: Mapping[tuple[int, int], float]) -> Mapping[tuple[int, int], int]:
    """Each value's group: 0 for none, then six groups of about the same number of values."""
    some = sorted(value for value in values.values() if value > 0)
    if not some:
        return dict.fromkeys(values, 0)
    bounds = [some[len(some) * n // LEVELS] for n in range(1, LEVELS)]
    return {
        key: 1 + sum(value >= bound for bound in bounds) if value > 0 else 0
        for key, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class SpendBar:
    """Shares of a bar's width: what is `filled`, up to where it is `hatched` as what is to come,
    thin `ticks`, and a `mark` across it. More than 1 is cut.
    """

    filled: float
    hatched: float
    ticks: Sequence[float]
    mark: float | None
    title: str


BAR_WIDTH: Final = 400
BAR_HEIGHT: Final = 18


def bar(of: SpendBar) -> str:
    """An SVG of a bar."""
    filled, hatched = (BAR_WIDTH * min(1.0, share) for share in (of.filled, of.hatched))
    parts = [f'<rect class="bar-ground" width="{BAR_WIDTH}" height="12" y="3"/>']
    if hatched > filled:
        parts.append(
            f'<rect fill="url(#hatched)" x="{filled:.1f}" width="{hatched - filled:.1f}"'
            ' height="12" y="3"/>'
        )
    parts.append(f'<rect class="bar-filled" width="{filled:.1f}" height="12" y="3"/>')
    lines = [(share, "bar-tick") for share in of.ticks]
    if of.mark is not None:
        lines.append((min(1.0, of.mark), "bar-mark"))
    for share, name in lines:
        x = min(BAR_WIDTH - 1.0, BAR_WIDTH * share)
        parts.append(f'<line class="{name}" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{BAR_HEIGHT}"/>')
    return (
        f'<svg class="bar" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" preserveAspectRatio="none"'
        f' role="img" aria-label="{escape(of.title)}">{"".join(parts)}</svg>'
    )
