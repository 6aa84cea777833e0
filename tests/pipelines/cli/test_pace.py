from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len

from pipelines.cli.output.bars import BLOCKS, PLAIN, bar, glyphs_of
from pipelines.cli.output.pace import DayPace, account_lines, below_lines

NOW = datetime(2026, 11, 30, 13, 20, tzinfo=UTC)  # 14:20 in Berlin, a Monday

ROW: dict[str, Any] = {
    "account_id": "11",
    "account_name": "Nordlicht",
    "level": "account",
    "object_id": None,
    "object_name": None,
    "account_currency": "EUR",
    "account_timezone": "Europe/Berlin",
    "date": date(2026, 11, 30),
    "asked_at": datetime(2026, 11, 30, 13, 5, tzinfo=UTC),
    "last_whole_hour": 10,
    "day_gone": 11 / 24,
    "spend": Decimal("1010.200000"),
    "spend_whole": Decimal("812.400000"),
    "spend_usual": Decimal("688.000000"),
    "spend_yesterday": Decimal("701.000000"),
    "spend_week_ago": None,
    "same_weekdays": 4,
    "projected_spend": 1390.0,
    "projected_low": 1250.4,
    "projected_high": 1560.0,
    "budget": Decimal(1500),
    "note": None,
    "purchases": Decimal(12),
    "add_to_cart": None,
    "checkouts": Decimal(1304),
    "leads": Decimal(0),
    "results_asked_at": datetime(2026, 11, 30, 8, tzinfo=UTC),
    "known_at": datetime(2026, 11, 30, 13, 5, tzinfo=UTC),
    "known_spend": Decimal("1020.000000"),
    "known_usual": None,
}


def lines(width: int | None = 80, *, is_whole: bool = False, **values: Any) -> list[str]:
    pace = DayPace({**ROW, **values})
    findings = ["Far ahead. 812.40 EUR by 11:00"] if is_whole else []
    shown = account_lines(pace, NOW, width, PLAIN, findings=findings, is_whole=is_whole)
    return [*shown]


def test_bars_are_as_full_as_they_should_be() -> None:
    cases = {
        (0.0, None): "..........",
        (0.001, None): "#.........",
        (0.5, None): "#####.....",
        (0.999, None): "#########.",
        (1.0, None): "##########",
        (7.0, None): "#########>",
        (0.2, 0.5): "##...|....",
        (0.8, 0.5): "#####|##..",
        (7.0, 0.999): "#########|",
        (0.5, 1.2): "#####.....",
        (-1.0, 0.0): "|.........",
    }
    assert {case: bar(case[0], 10, case[1], PLAIN) for case in cases} == cases


def test_bars_are_drawn_with_what_a_stream_can_show() -> None:
    def stream(encoding: str) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    found = [glyphs_of(stream(one)) for one in ("utf-8", "ascii", "latin-1")]

    assert found == [BLOCKS, PLAIN, PLAIN]
    assert {cell_len(one) for one in (BLOCKS.full, BLOCKS.empty, BLOCKS.mark, BLOCKS.more)} == {1}


def test_an_account_is_words_first_and_a_bar_each() -> None:
    assert lines(80, is_whole=True) == [
        "Nordlicht (act_11)",
        "  Monday 2026-11-30, 14:20 in Europe/Berlin. Meta was asked at 14:05, 15 minutes",
        "  ago.",
        "  by 11:00    ############|#.......  812.40 EUR, 18 % more than the usual 688.00",
        "                                     EUR (median of 4 Mondays)",
        "  budget      #######|.............  1,010.20 EUR of 1,500.00 EUR a day: 67 % of",
        "                                     the budget, when 59 % of the day was gone",
        "  before      701.00 EUR yesterday, not known a week ago (not completely",
        "              loaded); each by 11:00",
        "  results     12 purchases, 1,304 checkouts, asked at 09:00; they come in late",
        "  end of day  about 1,390.00 EUR; 1,250.40 to 1,560.00 EUR (range of the last",
        "              Mondays)",
        "  ! Far ahead. 812.40 EUR by 11:00",
    ]


def test_what_is_not_known_is_said_in_words() -> None:
    """Each of these lines is there in its case, and none of a bar that has nothing to show."""
    no_history: dict[str, Any] = {"spend_usual": None, "projected_spend": None, "same_weekdays": 0}
    thin = "Nothing to compare with. Only 1 of the last four Mondays had any spend."
    early = "Too early to say. No hour of the day is whole yet."
    cases: list[tuple[dict[str, Any], str]] = [
        ({"date": date(2026, 11, 29)}, "Today has not been asked yet; 2026-11-29 was last asked"),
        (no_history | {"note": thin}, f"  {thin}"),
        ({"last_whole_hour": None, "spend_whole": None, "note": early}, f"  {early}"),
        ({"budget": None}, "  so far      1,010.20 EUR; 59 % of the day was gone"),
        ({"spend_usual": Decimal(0)}, "812.40 EUR; usually nothing by then (median of 4 Mondays)"),
        ({"spend_whole": Decimal(688)}, "688.00 EUR, as usual: 688.00 EUR"),
        ({"spend_whole": Decimal(344), "same_weekdays": 1}, "50 % less than the usual 688.00 EUR"),
        ({"spend_whole": Decimal(344), "same_weekdays": 1}, "(one Monday)"),
        (
            {"known_usual": Decimal(850)},
            "1,020.00 EUR known at 14:05, 20 % more than the usual 850.00 EUR that were known by",
        ),
        ({"projected_high": None}, "about 1,390.00 EUR; at least 1,250.40 EUR"),
        ({"account_currency": "JPY"}, "1,010 JPY of 1,500 JPY a day"),
        ({"account_name": None}, "act_11"),
        ({"account_name": "a\x1b[2Jb\u202e"}, "a\\x1b[2Jb\\u202e (act_11)"),
        ({"asked_at": NOW}, "Meta was asked at 14:20, just now."),
        (
            {"asked_at": NOW.replace(hour=9), "known_at": None, "known_spend": None},
            "Meta was asked at 10:20, 4 hours ago.\n",
        ),
        (  # its total is what the hours have
            {"asked_at": NOW.replace(hour=9), "known_spend": ROW["spend"]},
            "Meta was asked at 14:05, 15 minutes ago.\n",
        ),
        (
            {"asked_at": NOW.replace(hour=9)},
            "Meta was asked at 14:05, 15 minutes ago; hours are those of 10:20.\n",
        ),
    ]

    shown = [(values, said, "\n".join(lines(None, **values))) for values, said in cases]

    assert [case for case in shown if case[1] not in case[2]] == []
    assert "by 11:00" not in "\n".join(lines(None, **no_history))
    assert "|" not in "\n".join(lines(None, date=date(2026, 11, 29)))


def test_nothing_is_wider_than_the_terminal() -> None:
    names = ["x" * 300, "東京" * 60, "Ein langer Name in Worten " * 9]
    rows = [
        DayPace({**ROW, "level": "campaign", "object_name": name, "object_id": str(n)})
        for n, name in enumerate(names)
    ]
    for width in (40, 60, 80, 200):
        shown = [one for name in names for one in lines(width, is_whole=True, account_name=name)]
        shown += below_lines("campaign", rows, width, BLOCKS)
        assert [line for line in shown if cell_len(line) > width] == [], width


def test_the_clock_of_the_day_says_how_much_of_it_is_gone() -> None:
    """A day of 25 hours in Berlin, at noon: 13 of them are gone; half-hour zones too."""
    long = DayPace({**ROW, "date": date(2026, 10, 25)})
    kolkata = DayPace({**ROW, "account_timezone": "Asia/Kolkata"})

    assert long.day_gone(datetime(2026, 10, 25, 11, tzinfo=UTC)) == 13 / 25
    assert kolkata.day_gone(datetime(2026, 11, 30, 6, 30, tzinfo=UTC)) == 0.5
    assert [kolkata.is_asked(NOW), kolkata.is_asked(NOW.replace(hour=18, minute=30))] == [
        True,
        False,
    ]


def test_of_campaigns_those_that_spent_most_come_first_and_what_is_left_out_is_counted() -> None:
    def campaign(n: int, spend: int, usual: int | None) -> DayPace:
        values = {"level": "campaign", "object_id": f"{n}", "object_name": f"c{n}", "budget": None}
        amounts = {"spend": Decimal(spend), "spend_whole": Decimal(spend)}
        return DayPace({**ROW, **values, **amounts, "spend_usual": usual and Decimal(usual)})

    twins = [
        replace(one, row={**one.row, "object_name": "c"})
        for one in (campaign(1, 2, None), campaign(2, 1, None))
    ]
    assert [line.split("  ")[0] for line in below_lines("ad", twins, 200, PLAIN)][2:] == [
        "c 1",
        "c 2",
    ]
    rows = [campaign(n, n if n < 23 else 0, None) for n in range(1, 26)]
    usual = campaign(99, 0, 40)

    shown = [*below_lines("campaign", [*rows, usual], 200, PLAIN)]

    header, _, *body, last = shown
    assert header.split() == "campaign spent by 11:00 usual by then pace end of day".split()
    assert [line.split()[0] for line in body] == [f"c{n}" for n in range(22, 2, -1)]
    assert last == (
        "Not shown: 6 campaigns (3 more that spend, 3 without spend, today or usually)."
    )
    assert [*below_lines("ad", [], 80, PLAIN)] == []
    early = {"last_whole_hour": None, "spend_whole": None, "spend_usual": None}
    nothing = {"projected_spend": None, "budget": None, "level": "ad", "object_name": "a"}
    [titles, *_] = below_lines("ad", [DayPace({**ROW, **early, **nothing})], 80, PLAIN)
    assert titles.split() == ["ad", "spent"]
    narrow = [*below_lines("campaign", [usual], 60, PLAIN)]
    assert narrow[0].split() == "campaign by 11:00 usual by then pace end of day".split()
    assert "Left out to fit 60 columns: spent." in narrow
