from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.query import FORMATS, run_query

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: What DuckDB gives for a list of actions and for an interval.
ACTIONS = [{"action_type": "link_click", "value": Decimal("11.50")}]
NESTED = pa.table({"actions": [ACTIONS, None]})
INTERVAL = pa.table({"i": pa.array([timedelta(days=1)], pa.month_day_nano_interval())})


def test_a_list_is_json_in_a_cell_of_a_table_or_of_csv(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["table"](NESTED)
    FORMATS["csv"](NESTED)

    shown = capsys.readouterr().out.splitlines()
    cell = '[{"action_type": "link_click", "value": "11.50"}]'
    assert shown[2:4] == [cell, "NULL"]
    assert shown[5:] == ['"{}"'.format(cell.replace('"', '""')), ""]


def test_csv_writes_what_arrow_has_no_text_for(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["csv"](INTERVAL)

    assert capsys.readouterr().out.splitlines() == ['"i"', '"[0, 1, 0]"']


def test_json_is_utf_8_whatever_the_terminal_speaks(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    FORMATS["json"](pa.table({"name": ["Sakura 東京 🚀"]}))

    assert json.loads(capsysbinary.readouterr().out.decode()) == {"name": "Sakura 東京 🚀"}


def test_a_warehouse_that_nothing_was_loaded_into_says_so_beside_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_query({"WAREHOUSE_URL": str(tmp_path / "typo")}, "select sum(clicks) from loads", "csv")

    shown, said = capsys.readouterr()
    assert shown.splitlines()[1:] == [""]
    assert (
        said == f"No account-day has been loaded into {tmp_path / 'typo'} yet: see WAREHOUSE_URL.\n"
    )
