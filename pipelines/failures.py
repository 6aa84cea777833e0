"""Which account-days failed when they were last tried, and why: one small file each, beside the
lake, gone as soon as the account-day is loaded.

    <root>/.failed/insights_hourly/123/2026-11-21.json
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pipelines.outcome import Outcome

__all__ = ["Failed", "Failures"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A load that failed: why, when (ISO, UTC) and in which run."""

    error: str
    at: str
    run_id: str = ""


class Failures:
    """The failed account-days of one table, below the `root` of a lake."""

    def __init__(self, root: Path, table: str) -> None:
        self._folder = root / ".failed" / table

    def note(self, outcome: Outcome, now: datetime, run_id: str) -> None:
        """Remember that an account-day failed, or forget it where it was loaded.

        A disk that is full keeps nobody from telling the outcome itself.
        """
        account_id, day = outcome.account_day
        path = self._folder / account_id / f"{day}.json"
        try:
            if outcome.load is not None:
                path.unlink(missing_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            failed = Failed(outcome.error, now.isoformat(), run_id)
            path.write_text(json.dumps(asdict(failed)), encoding="utf-8")
        except OSError as error:
            _log.warning("%s: it is not remembered that this failed: %s", outcome, error)

    def of(self, account_id: str) -> Mapping[date, Failed]:
        """Those of one account. A file that was cut off tells that its day failed, and no more."""
        return {
            date.fromisoformat(path.stem): Failed(**_read(path))
            for path in sorted((self._folder / account_id).glob("????-??-??.json"))
        }


def _read(path: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    known = told if isinstance(told, dict) else {}
    return {name: str(known.get(name, "")) for name in ("error", "at", "run_id")}
