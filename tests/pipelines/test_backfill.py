from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from pipelines import backfill
from pipelines.listings import Discovery
from pipelines.runs import RunResult
from warehouse.lake import Lake
from warehouse.loads import Load

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 21)
FOUND = Discovery([
    {"account_id": "1", "name": "Nordlicht", "timezone_name": "Europe/Berlin", "currency": "EUR"},
    {"account_id": "2", "name": "Kea", "timezone_name": "Pacific/Auckland", "currency": "NZD"},
])  # fmt: skip


class Instance:
    """As much of Dagster's instance as a backfill asks."""

    def get_dynamic_partitions(self, _: str) -> list[str]:
        return ["act_1", "act_9", "act_2"]


@pytest.mark.parametrize("loaded", ["1", ""])
def test_what_was_loaded_before_the_token_died_is_published(
    loaded: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs = ["accounts_job", "objects_job", "objects_job", "insights_hourly_job"]
    ran: list[str] = []

    def run_job(_: object, job: str, *__: object) -> RunResult:
        ran.append(job)
        dead = "the token has expired" if job == "insights_hourly_job" else ""
        return RunResult("1", not dead, stopped=dead)

    def load_of(_: Lake, table: str, account_id: str, day: date) -> Load | None:
        if account_id not in loaded:
            return None
        return Load(
            table=table,
            account_id=account_id,
            date=day,
            rows=3,
            verdict="proven",
            loaded_at=datetime.now(UTC),
        )

    monkeypatch.setattr(backfill, "run_job", run_job)
    monkeypatch.setattr(backfill, "discover", lambda *_: FOUND)
    monkeypatch.setattr(backfill, "open_instance", lambda _: nullcontext(Instance()))
    monkeypatch.setattr(Lake, "load_of", load_of)

    code = backfill.run_backfill(
        {"FB_ACCESS_TOKEN": "token-of-a-test", "WAREHOUSE_URL": str(tmp_path)}, DAY, DAY
    )

    assert (code, ran) == (2, [*jobs, "publish_job"] if loaded else jobs)
    assert "Stopped: the token has expired" in capsys.readouterr().err
