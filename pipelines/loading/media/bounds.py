"""What the pictures of one run may take, those of all its accounts together. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECKING_SECONDS", "PICTURES_SECONDS", "RunBounds"]

#: Pictures come last in a run and before it publishes, so nothing waits for them any longer than
#: this. Meta's servers send some thousands in this time; the rest is for the next runs.
PICTURES_SECONDS: Final = 60.0

#: Of that, for looking whether files that are kept are still whole. What has no time is looked at
#: by another run.
CHECKING_SECONDS: Final = 5.0

#: After this number of pictures in a row for which the server did not respond, or only with HTTP
#: 429 or 5xx, it is the server's fault: two rounds of all downloads at once.
SILENT_PICTURES: Final = 16

#: If all addresses of this many accounts in a row came back expired, it is not the addresses: a
#: clock is days off, here or at Meta.
BARREN_ACCOUNTS: Final = 3


@dataclass(slots=True)
class RunBounds:
    """The bounds of a run, and how far it has come. `clock`: seconds that go on; `is_stopped`:
    whether nothing is to be sent any more.
    """

    clock: Callable[[], float]
    is_stopped: Callable[[], bool] = lambda: False
    seconds: float = PICTURES_SECONDS
    _began: float = field(init=False)
    _silent: int = 0
    _barren: int = 0

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._began + self.seconds - self.clock())

    @property
    def is_over(self) -> bool:
        """Whether no picture is to be waited for any more."""
        return self.is_stopped() or self._silent >= SILENT_PICTURES or self.left <= 0

    def __str__(self) -> str:
        if self.is_stopped():
            return "stopped"
        if self._silent >= SILENT_PICTURES:
            return f"the server of pictures did not respond to {SILENT_PICTURES} requests in a row"
        return f"the time for pictures of one run ({self.seconds:.0f} s) is over"

    @property
    def may_read_again(self) -> bool:
        """Whether creatives are read by id for an address that has not expired."""
        return not (self.is_barren or self.is_over)

    @property
    def is_barren(self) -> bool:
        """Whether reading creatives by id brings no address that has not expired."""
        return self._barren >= BARREN_ACCOUNTS

    def note_picture(self, *, silent: bool) -> None:
        """A download has ended; `silent`: the server said nothing about the picture."""
        self._silent = self._silent + 1 if silent else 0

    def note_read_again(self, *, brought: bool) -> None:
        """Creatives of an account were read by id; `brought`: an address that has not expired."""
        self._barren = 0 if brought else self._barren + 1
