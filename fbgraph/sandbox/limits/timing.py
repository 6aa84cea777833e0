"""Response times of a server that is not instant, by kind of request and by size.

Meta publishes no such figures; these are of the size that public connectors report, and the same
for the same call. `latency` of `Sandbox` multiplies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse
    from fbgraph.sandbox.world.context import RequestContext

__all__ = ["CALL_KINDS", "call_seconds", "kind_of", "run_seconds"]


class Kind(NamedTuple):
    """One kind of call: how it is recognized, and what it takes in addition to its body."""

    name: str
    fits: Callable[[ServerRequest, RequestContext], bool]
    seconds: float
    seconds_per_megabyte: float = 0.0


def _ends(request: ServerRequest, word: str) -> bool:
    return request.parts[-1:] == (word,)


#: The first that fits counts.
CALL_KINDS: Final[Sequence[Kind]] = (
    # A batch takes as long as the slowest of its items, and a little.
    Kind("batch", lambda request, _: not request.parts, 0.1),
    Kind(
        "create_run",
        lambda request, _: request.method == "POST" and _ends(request, "insights"),
        0.6,
    ),
    Kind(
        "read_run",
        lambda request, context: context.run_id is not None and _ends(request, "insights"),
        0.3,
        2,
    ),
    Kind("poll_run", lambda _, context: context.run_id is not None, 0.15),
    Kind("insights", lambda request, _: _ends(request, "insights"), 0.8, 4),
    Kind("write", lambda request, _: request.method != "GET", 0.5),
    Kind("list", lambda request, _: len(request.parts) > 1, 0.3, 2),
    Kind("node", lambda _, __: True, 0.15),
)

BY_NAME: Final[Mapping[str, Kind]] = {kind.name: kind for kind in CALL_KINDS}

#: A report run: what any takes, and what each row adds that it may have at most.
RUN_SECONDS: Final = 5.0
RUN_SECONDS_PER_ROW: Final = 0.003


def kind_of(request: ServerRequest, context: RequestContext) -> str:
    return next(kind.name for kind in CALL_KINDS if kind.fits(request, context))


def call_seconds(kind: str, response: ServerResponse) -> float:
    """Rows count by their bytes: many fields take longer than few."""
    found = BY_NAME[kind]
    return found.seconds + found.seconds_per_megabyte * len(response.body) / 1e6


def run_seconds(rows: int) -> float:
    """How long a report run takes that may have this number of rows."""
    return RUN_SECONDS + RUN_SECONDS_PER_ROW * rows
