"""A lake that was really loaded and published, with damage planted, and a server over it that the
official client talks to.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import Client, StdioServerParameters, stdio_client

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import accounts_in, store_accounts
from pipelines.loading.failures import Failures
from pipelines.loading.load_result import Outcome
from pipelines.loading.loader import Loader
from pipelines.loading.partitions import AccountDay
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake
from warehouse.published.publish import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.from_thread import BlockingPortal
    from mcp.types import CallToolResult

__all__ = ["COMMAND", "Agent", "Made", "environ_of"]

COMMAND: Final = Path(sys.executable).with_name("fbinsights")

WHY: Final = "Meta was away"

#: By how much Meta's total is more than the rows of a day.
MISSING_SPEND: Final = Decimal("12.34")

LATER: Final = timedelta(minutes=9)


@dataclass(frozen=True)
class Made:
    """A lake, an account in it, and its days: one that adds up, one that does not, one that failed,
    one that nobody loaded. `now` is when all that was loaded; `LATER` Meta had other totals of the
    one that adds up.
    """

    lake: Lake
    account_id: str
    good: date
    differs: date
    failed: date
    missing: date
    now: datetime


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    lake = Lake(tmp_path_factory.mktemp("work") / "data", catalog=KNOWN.catalog)
    now = datetime.now(UTC).replace(hour=20) - timedelta(days=7)
    last = now.date() - timedelta(days=1)
    days = [last - timedelta(days=n) for n in range(4)]
    with (
        Sandbox(now=lambda: now) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        account_id = sandbox.account_ids[0]
        store_accounts(lake, discover(client, [account_id]).rows, now)
        loader = Loader(client, lake, accounts_in(lake), "run-1", now=lambda: now)
        wanted = [AccountDay(account_id, day) for day in days[:2]]
        assert all(one.load for one in loader.load(KNOWN.by_name["insights_hourly"], wanted))
    good, differs, failed, missing = days
    done = Made(lake, account_id, good, differs, failed, missing, now)
    _plant(done)
    publish(lake.root, catalog=KNOWN.catalog)
    return done


def _plant(made: Made) -> None:
    which: dict[str, Any] = {"account_id": made.account_id, "date": made.differs}
    load = made.lake.load_of("insights_hourly", *which.values())
    assert load is not None
    assert load.spend is not None
    rows = made.lake.read("insights_hourly", **which)
    folder = f"insights_hourly/account_id={made.account_id}/date={made.differs}"
    (made.lake.root / folder / "data.parquet").unlink()
    short = replace(
        load, verdict="unproven", reason="spend differs", control_spend=load.spend + MISSING_SPEND
    )
    made.lake.replace("insights_hourly", rows, load=short, **which)
    failures = Failures(made.lake.store, "insights_hourly")
    failures.note(Outcome(AccountDay(made.account_id, made.failed), error=WHY), made.now, "run-1")
    which["date"] = made.good
    totals = made.lake.load_of("control_daily", *which.values())
    assert totals is not None
    assert totals.spend is not None
    spend = totals.spend + MISSING_SPEND
    rows = made.lake.read("control_daily", **which)
    other = pa.Table.from_pylist([{**rows.to_pylist()[0], "spend": spend}], schema=rows.schema)
    newer = replace(totals, spend=spend, loaded_at=made.now + LATER)
    made.lake.replace("control_daily", other, load=newer, **which)


def environ_of(lake: Lake, **more: str) -> dict[str, str]:
    """What a client gives the server."""
    return {"WAREHOUSE_URL": str(lake.root), "PATH": os.environ["PATH"], **more}


class Agent:
    """The official client, connected to a server process of its own."""

    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal = portal
        self.client = client

    def ask(self, method: str, *arguments: object) -> Any:
        """What a method of the client returns."""
        return self._portal.call(getattr(self.client, method), *arguments)

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The data that a tool returns; it is the same as text."""
        result: CallToolResult = self.ask("call_tool", tool, arguments)
        [content] = result.content
        assert not result.is_error, content
        assert content.type == "text"
        assert result.structured_content == json.loads(content.text)
        return json.loads(content.text)  # type: ignore[no-any-return]  # an object, as above

    def refusal(self, tool: str, **arguments: object) -> str:
        """Why a tool refuses."""
        result: CallToolResult = self.ask("call_tool", tool, arguments)
        [content] = result.content
        assert result.is_error, content
        assert content.type == "text"
        return str(content.text).removeprefix(f"Error executing tool {tool}: ")


#: Runs a command, and writes its exit code down.
NOTING_ITS_END: Final = '"$@"; echo $? > ended'


@pytest.fixture(scope="module")
def agent(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """With tight bounds: a second and ten rows. Its server ends with stdin, and without a word."""
    folder = tmp_path_factory.mktemp("elsewhere")
    bounds = ("--rows", "10", "--seconds", "1", "--megabytes", "256")
    where = StdioServerParameters(
        command="sh",
        args=["-c", NOTING_ITS_END, "sh", str(COMMAND), "mcp", *bounds],
        env=environ_of(made.lake, FB_ACCESS_TOKEN="secret-token"),  # noqa: S106  not one
        cwd=folder,
    )
    with (
        (folder / "stderr").open("w+", encoding="utf-8") as noted,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(stdio_client(where, errlog=noted))) as client,
    ):
        yield Agent(portal, client)
    assert (folder / "ended").read_text() == "0\n"
    assert (folder / "stderr").read_text() == ""
