from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.state.unreported import Unreported, notes_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from warehouse.storage.store import Store

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAYS = [date(2026, 11, 21), date(2026, 11, 22)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def note() -> Unreported:
    return Unreported.of_this_process("run-1", NOW, ["insights_hourly"], DAYS)


def test_a_load_is_remembered_until_it_is_reported(store: Store) -> None:
    note().keep(store)
    kept = list(notes_of(store))

    note().forget(store)

    assert kept == [note()]
    assert not notes_of(store)


def test_a_process_of_this_machine_reports_by_itself_while_it_is_there() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    killed = replace(note(), pid=gone.pid)

    assert (note().pid, note().host) == (os.getpid(), socket.gethostname())
    assert (note().is_at_work(), note().has_ended(NOW)) == (True, False)
    assert (killed.is_at_work(), killed.has_ended(NOW)) == (False, True)


def test_what_another_machine_loads_is_reported_again_until_it_must_have_ended() -> None:
    other = replace(note(), host="elsewhere", pid=1)

    assert not other.is_at_work()
    assert [other.has_ended(NOW + timedelta(days=days)) for days in (1, 3)] == [False, True]


def test_a_note_that_was_cut_short_is_removed(store: Store) -> None:
    store.note(".unreported/run-2.json", '{"run_id": "run-2", "began')

    assert not notes_of(store)
    assert not store.find(".unreported/*")
