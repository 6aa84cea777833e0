"""Names that advertisers could write, as every command prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fbgraph.sandbox.faults.names import EVIL
from pipelines.escaping import escaped
from tests.e2e.company import RANGE, Company, start
from tests.pipelines.test_escaping import RAW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = "select account_name from accounts order by 1"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder: Path = tmp_path_factory.mktemp("names")
    with start(accounts=3) as sandbox:
        sandbox.use("hostile_names")
        made = Company(sandbox, folder)
        assert made.run("backfill", *RANGE).returncode == 0
        yield made


@pytest.mark.parametrize(
    "arguments",
    [("doctor",), ("status",), ("plan", *RANGE), ("query", NAMES), ("backfill", *RANGE)],
)
def test_no_command_prints_a_name_that_moves_the_cursor_or_begins_a_line(
    company: Company, arguments: tuple[str, ...]
) -> None:
    done = company.run(*arguments)

    assert "Traceback" not in done.stderr
    assert not RAW.search(done.stdout + done.stderr)
    assert not [
        line for line in (done.stdout + done.stderr).splitlines() if line.startswith("line")
    ]


def test_names_are_shown_and_stored_whole(company: Company) -> None:
    shown = company.run("query", NAMES).stdout
    exact = company.run("query", NAMES, "--format", "csv").stdout

    assert escaped(EVIL) in shown
    assert EVIL in exact
