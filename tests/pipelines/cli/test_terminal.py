from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipelines.cli.output.terminal import command_lines, hanging, wrapped
from pipelines.escaping import escaped

COMMAND = "fbinsights backfill --since 2026-11-20 --until 2026-11-21 --account act_1 --report hours"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])), st.integers(20, 60))
def test_wrapped_lines_fit_and_hold_every_character_but_spaces(text: str, width: int) -> None:
    pieces = wrapped(f"  {escaped(text)}", width)

    assert [piece for piece in pieces if cell_len(piece) > width] == []
    assert "".join("".join(pieces).split()) == "".join(escaped(text).split())


def test_a_wrapped_line_stays_below_its_own_margin() -> None:
    assert wrapped("    one two three", 11) == ["    one two", "    three"]
    assert wrapped("one two", None) == ["one two"]


def test_what_follows_a_head_stays_to_the_right_of_it() -> None:
    assert hanging("ok  token  ", "valid until the end", 24) == [
        *("ok  token  valid until", "           the end")
    ]


@pytest.mark.parametrize("width", [40, 60, 80, None])
def test_a_wrapped_command_is_still_the_same_command(width: int | None) -> None:
    lines = command_lines(COMMAND, width)

    script = "\n".join(lines).replace("fbinsights", "printf '%s '")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603,S607
    assert f"fbinsights {done.stdout}".strip() == COMMAND
    assert max(map(cell_len, lines)) <= (width or 1000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb\x1b[2J", r"a\nb\x1b[2J"),
        ("\x9b2J", r"\x9b2J"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("a\u2028b\u2067", r"a\u2028b\u2067"),
        ("Chai चाय 東京", "Chai चाय 東京"),
    ],
)
def test_what_moves_the_cursor_or_turns_text_around_is_shown_as_an_escape(
    name: str, shown: str
) -> None:
    assert escaped(name) == shown
