from __future__ import annotations

from decimal import Decimal

from pipelines.cli.terminal import table_lines


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
