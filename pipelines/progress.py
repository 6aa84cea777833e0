"""The bar on stderr. It listens to what `pipelines.load` logs, so the loader knows of no bar."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from pipelines.outcome import Outcome

__all__ = ["Bar"]

_LOGGER: Final = logging.getLogger("pipelines.load")


class Bar(logging.Handler):
    """A progress bar over account-days; silent where stderr is no terminal.

    Use it as a context manager. Every log record that carries an `outcome` moves it by one.
    """

    def __init__(self, total: int) -> None:
        super().__init__(logging.INFO)
        self._rows = 0
        self._calls = 0
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
        _LOGGER.addHandler(self)
        self._level = _LOGGER.level
        _LOGGER.setLevel(logging.INFO)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        _LOGGER.setLevel(self._level)
        _LOGGER.removeHandler(self)

    def stage(self, name: str) -> None:
        """Say what is being done now."""
        self._bar.update(self._task, description=name)

    def emit(self, record: logging.LogRecord) -> None:
        outcome: Outcome | None = getattr(record, "outcome", None)
        if outcome is None:
            return
        if outcome.load is not None:
            self._rows += outcome.load.rows
            self._calls += outcome.load.calls
        self._bar.update(self._task, advance=1, cost=f"{self._rows:,} rows  {self._calls} calls")
