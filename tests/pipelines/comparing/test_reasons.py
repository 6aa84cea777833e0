"""Why an account-day differs, decided from values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelines.comparing.reasons import Difference, Fact, Sums, differs, reasons_for

DAY = date(2026, 11, 21)
OVER = datetime(2026, 11, 22, 3, tzinfo=UTC)


def sums(spend: str, impressions: int, clicks: int, **more: int) -> Sums:
    others = {role: Decimal(number) for role, number in more.items()}
    counts = {"impressions": Decimal(impressions), "clicks": Decimal(clicks)}
    return {"spend": Decimal(spend), **counts, **others}


OURS = sums("100.20", 1000, 50, link_clicks=30)
PART = sums("12.34", 100, 5, link_clicks=3)
REST = sums("87.86", 900, 45, link_clicks=27)
TWICE = sums("200.40", 2000, 100, link_clicks=60)
OTHER = sums("1.00", 7, 1, link_clicks=1)


def made(there: Sums | None, *facts: Fact, **more: Any) -> Difference:
    values = {"here": OURS, "verdict": "proven", "currency": "EUR", **more}
    return Difference("1", DAY, there=there, facts=facts, **values)


def kinds(one: Difference) -> list[tuple[str, bool]]:
    return [(reason.kind, reason.is_exact) for reason in reasons_for(one)]


@pytest.mark.parametrize(
    ("there", "fact"),
    [
        (REST, Fact("archived", PART)),
        (REST, Fact("missing_rows", PART, "3 ads")),
        (REST, Fact("no_hour", PART)),
        (TWICE, Fact("repeated", OURS)),
        (TWICE, Fact("versions", OURS)),
        (OTHER, Fact("totals", OTHER)),
        (OTHER, Fact("restated", OTHER, "2026-11-25 08:00 UTC")),
        (OTHER, Fact("before_end", OTHER, "2026-11-21 20:00 UTC")),
        (OTHER, Fact("zone", OTHER, "UTC")),
        (OTHER, Fact("shifted", OTHER, "before")),
    ],
)
def test_numbers_that_turn_one_side_into_the_other_explain_it_exactly(
    there: Sums, fact: Fact
) -> None:
    assert kinds(made(there, fact)) == [(fact.kind, True)]


def test_rows_that_meta_no_longer_returns_explain_what_is_too_much() -> None:
    there = {role: OURS[role] + PART[role] for role in OURS}

    assert kinds(made(there, Fact("vanished", PART, "2 ads"))) == [("vanished", True)]


@pytest.mark.parametrize("wrong", ["spend", "impressions", "link_clicks"])
def test_one_number_that_is_not_explained_makes_no_reason_exact(wrong: str) -> None:
    there = {**REST, wrong: REST[wrong] + 1}

    assert kinds(made(there, Fact("archived", PART))) == []


@pytest.mark.parametrize(
    ("there", "kind", "text"),
    [
        ({**OURS, "spend": Decimal(10020)}, "unit", "cents"),
        ({**OURS, "spend": Decimal(100_200_000)}, "unit", "millionths"),
        ({**OURS, "spend": Decimal(100)}, "rounded", "0 decimals"),
        ({**OURS, "clicks": Decimal(30)}, "other_clicks", "on links"),
        ({**OURS, "link_clicks": Decimal(50)}, "other_clicks", "all clicks"),
        (sums("300.60", 3000, 150, link_clicks=90), "repeated", "times 3"),
    ],
)
def test_what_a_column_means_is_found_from_its_value(there: Sums, kind: str, text: str) -> None:
    [reason] = reasons_for(made(there))

    assert (reason.kind, reason.is_exact) == (kind, True)
    assert text in reason.text


def test_several_things_at_once_are_all_named() -> None:
    there = {**REST, "spend": REST["spend"] * 100, "clicks": REST["link_clicks"]}

    found = kinds(made({k: v * 2 for k, v in there.items()}, Fact("archived", PART)))

    assert found == [(kind, True) for kind in ("archived", "repeated", "unit", "other_clicks")]


def test_what_was_not_kept_of_earlier_numbers_is_said() -> None:
    earlier = Fact("restated", sums("90.00", 950, 48), "2026-11-25 08:00 UTC")

    _, rest = reasons_for(made(sums("90.00", 950, 48, link_clicks=29), earlier))

    assert (rest.text, rest.is_exact) == ("link_clicks of then is not known", False)


def test_nothing_is_no_evidence_of_what_a_column_means() -> None:
    there = {**OURS, "clicks": Decimal(0)}

    assert kinds(made(there, here={**OURS, "link_clicks": Decimal(0)})) == []


def test_a_fact_that_changes_nothing_explains_nothing() -> None:
    there = {**OURS, "spend": Decimal(7)}

    assert kinds(made(there, Fact("zone", OURS, "UTC"), Fact("totals", OURS))) == []


def test_purchases_are_explained_by_window_and_are_else_a_hint() -> None:
    here, there = {**OURS, "purchases": Decimal(9)}, {**OURS, "purchases": Decimal(6)}
    one = made(there, here=here, purchases=(("those of the window click_7d", Decimal(6)),))

    assert [reason.text for reason in reasons_for(one)] == [
        "purchases there are those of the window click_7d"
    ]
    assert kinds(replace(one, purchases=())) == [("purchases", False)]


def test_sides_that_cannot_be_compared_say_why() -> None:
    assert kinds(made(OURS, their_currencies=["EUR", "USD"])) == [("currency", True)]
    assert kinds(made(OURS, here=None)) == [("day_not_here", True)]
    assert kinds(made(OURS, here=None, is_account_here=False)) == [("account_not_here", True)]
    assert kinds(made(None)) == [("day_not_there", True)]
    assert kinds(made(None, is_account_there=False)) == [("account_not_there", True)]


def test_a_day_of_archived_ads_alone_has_no_row_in_a_table_without_them() -> None:
    one = made(None, Fact("missing_rows", OURS, "3 ads"), Fact("archived", OURS))

    assert kinds(one) == [("archived", True)]


def test_what_is_only_known_to_happen_is_a_hint() -> None:
    early = made(OTHER, Fact("missing_rows", PART, "3 ads"), verdict="provisional", over_at=OVER)
    early = replace(early, loaded_there=OVER - timedelta(hours=1))
    late = made(OTHER, loaded_there=OVER, over_at=OVER, loaded_here=OVER + timedelta(days=3))

    assert kinds(early) == [(kind, False) for kind in ("unproven", "missing_rows", "before_end")]
    assert [reason.text for reason in reasons_for(late)] == [
        "it was loaded there 3 days before here; Meta may have changed it"
    ]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (OURS, OURS, False),
        (OURS, REST, True),
        (OURS, {"spend": Decimal("100.20")}, False),  # what they lack is not compared
        ({"spend": Decimal("100.20")}, OURS, False),
        (sums("0", 0, 0), None, False),
        (None, sums("0", 0, 0), False),
        (OURS, None, True),
    ],
)
def test_a_day_without_a_row_is_one_without_delivery(
    here: Sums | None, there: Sums | None, *, expected: bool
) -> None:
    assert differs(made(there, here=here)) == expected
