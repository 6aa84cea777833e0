"""The bar on stderr. It listens to what the loader and its engine log, so they know of no bar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from fbgraph.reports.poller import Flight
    from pipelines.loading.load_result import Outcome

__all__ = ["Bar"]

_LOGGERS: Final = tuple(
    map(logging.getLogger, ("pipelines.loading.loader", "fbgraph.reports.poller"))
)


class Bar(logging.Handler):
    """A progress bar over account-days; silent where stderr is no terminal.

    Use it as a context manager. Every log record that carries an `outcome` moves it by one; one
    that carries a `flight` says how far the report runs are.
    """

    def __init__(self, total: int) -> None:
        super().__init__(logging.DEBUG)
        self._rows = 0
        self._calls = 0
        self._flight = ""
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} account-days  {task.fields[cost]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, cost="")

    def __enter__(self) -> Self:
        self._levels = [logger.level for logger in _LOGGERS]
        for logger in _LOGGERS:
            logger.addHandler(self)
            logger.setLevel(logging.DEBUG)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        for logger, level in zip(_LOGGERS, self._levels, strict=True):
            logger.setLevel(level)
            logger.removeHandler(self)

    def stage(self, name: str) -> None:
        """Say what is being done now."""
        self._bar.update(self._task, description=name)

    def emit(self, record: logging.LogRecord) -> None:
        outcome: Outcome | None = getattr(record, "outcome", None)
        flight: Flight | None = getattr(record, "flight", None)
        if outcome is None and flight is None:
            return
        if outcome is not None and outcome.load is not None:
            self._rows += outcome.load.rows
            self._calls += outcome.load.calls
        if flight is not None:
            self._flight = (
                f"  {flight.runs} runs at {flight.percent:.0f} %"
                f"  {flight.usage_percent:.0f} % of limits"
            )
        self._bar.update(
            self._task,
            advance=1 if outcome is not None else 0,
            cost=f"{self._rows:,} rows  {self._calls} calls{self._flight}",
        )
