from __future__ import annotations

import json
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli.commands.query import FORMATS, run_query

if TYPE_CHECKING:
    from pathlib import Path

#: What DuckDB gives for a list of actions.
ACTIONS = [{"action_type": "link_click", "value": Decimal("11.50")}]
NESTED = pa.table({"actions": [ACTIONS, None]})

#: Values that have no type in CSV, in JSON or in Parquet.
ODD = (
    "select interval 14 month + interval 2 day as age, - interval 90 minute as late,"
    " interval 0 day as none, null::interval as unknown, 1 / 0 as ratio, 'az'::blob as bytes"
)


def test_a_list_is_json_in_a_cell_of_a_table_or_of_csv(capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["table"](NESTED)
    FORMATS["csv"](NESTED)

    shown = capsys.readouterr().out.splitlines()
    cell = '[{"action_type": "link_click", "value": "11.50"}]'
    assert shown[2:4] == [cell, "NULL"]
    assert shown[5:] == ['"{}"'.format(cell.replace('"', '""')), ""]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("table", "14 months 2 days  -1:30:00  0:00:00     NULL    inf  617a"),
        ("csv", '"14 months 2 days","-1:30:00","0:00:00",,inf,"617a"'),
        (
            "json",
            (
                '{"age": "14 months 2 days", "late": "-1:30:00", "none": "0:00:00", '
                '"unknown": null, "ratio": "inf", "bytes": "617a"}'
            ),
        ),
    ],
)
def test_what_a_format_has_no_type_for_is_text(
    form: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_query({"WAREHOUSE_URL": str(tmp_path)}, ODD, form)

    assert capsys.readouterr().out.splitlines()[-1] == line


def test_parquet_has_intervals_as_text_and_all_else_as_it_is(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    run_query({"WAREHOUSE_URL": str(tmp_path)}, ODD, "parquet")

    [row] = pq.read_table(pa.BufferReader(capsysbinary.readouterr().out)).to_pylist()
    assert (row["age"], row["unknown"]) == ("14 months 2 days", None)
    assert (row["ratio"], row["bytes"]) == (inf, b"az")


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
    folder = tmp_path / "typo"
    assert said == f"No account-day has been loaded into {folder} yet. Check WAREHOUSE_URL.\n"
