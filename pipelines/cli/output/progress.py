"""The progress of a load: a bar on a terminal, elsewhere a line every half a minute, both on
stderr.

It listens to what the loader and its engine log, so they know nothing about it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipelines.cli.output.terminal import print_note
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from fbgraph.reports.poller import Flight
    from pipelines.loading.load_result import Outcome

__all__ = ["LOGGERS", "Bar", "Progress", "seconds_left"]

#: Who logs progress.
LOGGERS: Final = tuple(
    map(
        logging.getLogger,
        (
            "fbgraph.reports.poller",
            "pipelines.defs.event_log.runless",
            "pipelines.loading.loader",
            "pipelines.loading.refreshing.changes",
            "pipelines.loading.session",
        ),
    )
)

#: Seconds between two lines if there is no terminal.
LINE_SECONDS: Final = 30.0

#: How often it is looked up who waits for which limit.
WAITS_SECONDS: Final = 2.0

#: Seconds between two drawings of the bar.
FRAMES_PER_SECOND: Final = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a stage. `total` is 0 where nobody knows how many there will be. `since`:
    when the stage began to count, by the clock. `flight` has the progress of the report runs.
    `is_step`: the stage itself counts nothing.
    """

    stage: str = ""
    total: int = 0
    done: int = 0
    failed: int = 0
    unproven: int = 0
    rows: int = 0
    calls: int = 0
    since: float = 0.0
    flight: Flight | None = None
    is_step: bool = False

    def with_outcome(self, outcome: Outcome) -> Progress:
        """The state after one more account-day."""
        load = outcome.load
        return replace(
            self,
            done=self.done + 1,
            failed=self.failed + (load is None),
            unproven=self.unproven + (load is not None and not load.is_good),
            rows=self.rows + (load.rows if load else 0),
            calls=self.calls + (load.calls if load else 0),
        )

    def at_step(self, name: str) -> Progress:
        """The same at a step that counts no account-days."""
        return replace(self, stage=name, flight=None, is_step=True)

    def counts(self) -> str:
        """Like ``1,204 rows, 87 calls, 2 failed, 1 unproven``."""
        parts = [counted(self.rows, "row"), counted(self.calls, "call")]
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.unproven:,} unproven"] if self.unproven else []
        return ", ".join(parts)

    def left(self, now: float) -> str:
        """The time that is left, as far as it can be estimated."""
        seconds = seconds_left(self.done, self.total, now - self.since)
        return "" if seconds is None else f"about {_duration(seconds)} left"

    def runs(self) -> str:
        """The progress of the report runs."""
        if self.flight is None or self.done >= self.total > 0:
            return ""
        runs = counted(self.flight.runs, "report run")
        used = f"limits {self.flight.usage_percent:.0f} % used"
        silent = self.flight.silent_seconds
        silence = f", no usable response from Meta for {_duration(silent)}" if silent else ""
        return f"{runs} at {self.flight.percent:.0f} %, {used}{silence}"

    def line(self, now: float) -> str:
        """Everything in one line."""
        mark = ";" if self.is_step else ":"
        of = f"{self.done:,} of " if self.total else ""
        done = f"{self.stage}{mark} {of}{counted(self.total or self.done, 'account-day')}"
        return "; ".join(filter(None, (done, self.counts(), self.left(now), self.runs())))


def seconds_left(done: int, total: int, seconds: float) -> float | None:
    """The seconds that are left at the speed of the `seconds` so far. None: nothing is done yet, or
    nothing is left.
    """
    return seconds * (total - done) / done if 0 < done < total else None


def _duration(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, remainder = divmod(minutes, 60)
    return f"{hours} h {remainder} min" if hours else f"{minutes} min"


class Bar(logging.Handler):
    """Shows the progress over account-days; nothing if it `is_quiet`. Use it as a context manager.

    Every log record that carries an `outcome` moves it by one; one that carries a `flight` says how
    far the report runs are, one that carries a `step` what comes next. `waits` gives a line for
    each limit that somebody waits for, `calls` the calls of everything so far; without it, those of
    the account-days are counted.
    """

    def __init__(  # noqa: PLR0913  # what it shows, and how
        self,
        total: int,
        waits: Callable[[], Sequence[str]] = tuple,
        *,
        calls: Callable[[], int] | None = None,
        is_quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        line_seconds: float = LINE_SECONDS,
    ) -> None:
        super().__init__(logging.DEBUG)
        self._clock = clock
        self._now = Progress("accounts", total, since=clock())
        self._changing = threading.Lock()
        self._waits = waits
        self._calls = calls
        self._looked = float("-inf")
        self._waiting_text = ""
        self._is_quiet = is_quiet
        self._line_seconds = line_seconds
        self._is_over = threading.Event()
        self._lines = threading.Thread(target=self._print_line, name="progress", daemon=True)
        console = Console(stderr=True)
        is_drawn = console.is_terminal and not console.is_dumb_terminal and not is_quiet
        self._live = self._on(console) if is_drawn else None

    def _on(self, console: Console) -> Live:
        return Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._levels = [logger.level for logger in LOGGERS]
        for logger in LOGGERS:
            logger.addHandler(self)
            logger.setLevel(logging.DEBUG)
        if self._live:
            self._live.start()
        elif not self._is_quiet:
            self._lines.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._live:
            self._live.stop()
        elif self._lines.is_alive():
            self._lines.join()
        for logger, level in zip(LOGGERS, self._levels, strict=True):
            logger.setLevel(level)
            logger.removeHandler(self)

    def stage(self, name: str, total: int | None = None) -> None:
        """Start a stage. With a `total`, account-days are counted from zero."""
        with self._changing:
            now = replace(self._now, stage=name, flight=None, is_step=False)
            if total is not None:
                now = replace(
                    now, total=total, done=0, failed=0, unproven=0, rows=0, since=self._clock()
                )
            self._now = now

    def step(self, name: str) -> None:
        """Start a step that counts no account-days; those of the stage before stay shown."""
        with self._changing:
            self._now = self._now.at_step(name)

    def emit(self, record: logging.LogRecord) -> None:
        with self._changing:
            self._take_in(record)

    def _take_in(self, record: logging.LogRecord) -> None:
        outcome: Outcome | None = getattr(record, "outcome", None)
        if outcome is not None:
            self._now = self._now.with_outcome(outcome)
        flight: Flight | None = getattr(record, "flight", None)
        if flight is not None:
            self._now = replace(self._now, flight=flight)
        step: str | None = getattr(record, "step", None)
        if step is not None:
            self._now = self._now.at_step(step)

    def line(self) -> str:
        """Its progress, in one line."""
        return "; ".join(filter(None, (self._counted().line(self._clock()), self._waiting())))

    def _counted(self) -> Progress:
        return self._now if self._calls is None else replace(self._now, calls=self._calls())

    def _waiting(self) -> str:
        """Who waits longest, and how many others; looked up now and then."""
        now = self._clock()
        if now - self._looked >= WAITS_SECONDS:
            self._looked = now
            first, *others = (*self._waits(), "")
            self._waiting_text = f"{first} And {len(others) - 1} more." if others[:-1] else first
        return self._waiting_text

    def _print_line(self) -> None:
        while not self._is_over.wait(self._line_seconds):
            print_note(self.line())

    def _drawn(self) -> RenderableType:
        """The bar and two lines below it, cut where they do not fit."""
        now, at = self._counted(), self._clock()
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True)
        bar = ProgressBar(total=max(now.total, 1), completed=now.done)
        of = f"{now.done:,}/" if now.total else ""
        done = f"{of}{counted(now.total or now.done, 'account-day')}"
        grid.add_row(now.stage, bar, "  ".join(filter(None, (done, now.left(at)))))
        parts = "  ".join(filter(None, (now.counts(), now.runs())))
        lines = filter(None, (parts, self._waiting()))
        return Group(grid, *(Text(line, no_wrap=True, overflow="ellipsis") for line in lines))
