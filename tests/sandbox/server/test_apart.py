"""The sandbox in a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fbgraph.sandbox import Sandbox, sandbox_apart


def test_it_serves_the_same_company_and_ends_with_its_block() -> None:
    day = datetime.now(UTC).date() - timedelta(days=3)
    here = Sandbox(seed=3)
    with sandbox_apart(seed=3) as apart:
        assert apart.account_ids == list(here.account_ids)
        assert apart.world()["accounts"] == here.world()["accounts"]
        for account_id in apart.account_ids[:2]:
            assert apart.truth(account_id, day) == here.truth(account_id, day)
    with pytest.raises(httpx.ConnectError):
        apart.world()


def test_what_it_cannot_serve_is_an_error_and_not_a_wait(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(RuntimeError, match="stopped before it was ready"),
        sandbox_apart(world="a flat one"),
    ):
        pass
    assert "Unknown world 'a flat one'" in capfd.readouterr().err
