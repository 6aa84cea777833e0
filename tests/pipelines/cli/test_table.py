from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipelines.cli.output.table import Digits, table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_text_stands_to_the_left_and_numbers_to_the_right_with_the_same_places() -> None:
    lines = table_lines(
        ("name", "spend"), [("Sakura 東京", Decimal("195866.000000")), (None, Decimal("1.50"))]
    )

    assert lines == [
        "name            spend",
        "-----------  --------",
        "Sakura 東京  195866.0",
        "NULL              1.5",
    ]


def test_names_from_advertisers_cannot_break_a_line_or_move_the_cursor() -> None:
    [_, _, line] = table_lines(("name",), [("a\nb\x1b[2J",)])

    assert line == r"a\nb\x1b[2J"


HEADER = ("account", "name", "report", "days", "failed", "rows", "spend", "currency")
ROWS = [
    ("act_1", "Sakura 東京 " * 4, "insights_hourly", 28, 0, 4711, Decimal("195866.5"), "JPY"),
    ("act_2", "Nordlicht", "insights_hourly", 28, 0, 12, Decimal("3.25"), "EUR"),
    ("act_1", "Sakura 東京 " * 4, "insights_daily", 28, 0, 5, Decimal(0), "JPY"),
]


def fitted(width: int | None) -> Sequence[str]:
    heads, spare = ("account", "name", "currency"), ("days", "failed")
    return table_lines(HEADER, ROWS, width, heads=heads, spare=spare)


def test_a_table_is_as_wide_as_it_is_where_there_is_room_or_no_terminal() -> None:
    assert fitted(None) == fitted(1000) == table_lines(HEADER, ROWS)


def test_what_rows_share_becomes_a_line_above_them_where_there_is_less_room() -> None:
    assert fitted(60) == [
        "report             days  failed  rows      spend",
        "-----------------  ----  ------  ----  ---------",
        "act_1  Sakura 東京 Sakura 東京 Sakura 東京 Sakura 東京  JPY",
        "  insights_hourly    28       0  4711  195866.50",
        "  insights_daily     28       0     5       0.00",
        "act_2  Nordlicht  EUR",
        "  insights_hourly    28       0    12       3.25",
    ]


def test_then_columns_are_left_out_first_those_that_say_nothing_and_a_line_names_them() -> None:
    assert fitted(40)[-1] == "0 in every line: failed."
    assert fitted(36)[-2:] == ["0 in every line: failed.", "Left out to fit 36 columns: days."]


def test_text_that_is_cut_shows_it() -> None:
    lines = fitted(36)

    assert lines[2].startswith("act_1  Sakura 東京")
    assert lines[2].endswith("…  JPY")
    assert max(map(cell_len, lines[:-1])) <= 36


def test_of_many_columns_those_in_the_middle_give_way_to_a_sign() -> None:
    header = [f"column_{n}" for n in range(40)]
    lines = table_lines(header, [[*range(1000, 1040)]], 50)

    assert lines[0].split() == ["column_0", "column_1", "…", "column_38", "column_39"]
    assert lines[2].split() == ["1000", "1001", "…", "1038", "1039"]
    assert lines[3] == "36 of 40 columns have no room."


@given(
    st.lists(st.tuples(*[st.text(max_size=40)] * 3, *[st.integers(0, 10**6)] * 3), max_size=5),
    st.integers(60, 120),
)
def test_no_line_is_wider_than_the_terminal_whatever_names_hold(
    rows: list[tuple[object, ...]], width: int
) -> None:
    header = ("account", "name", "report", "rows", "clicks", "calls")

    lines = table_lines(header, rows, width, heads=("account", "name"), spare=("calls",))

    assert [line for line in lines if cell_len(line) > width] == []


def test_amounts_of_several_currencies_have_their_own_decimals_and_go_to_the_right() -> None:
    rows = [("DE", Digits("5026.31"), "EUR"), ("Japan", Digits("579787"), "JPY")]

    assert [*table_lines(("name", "spend", "currency"), rows)] == [
        "name     spend  currency",
        "-----  -------  --------",
        "DE     5026.31  EUR",
        "Japan   579787  JPY",
    ]
