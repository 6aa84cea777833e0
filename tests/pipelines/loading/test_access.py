from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from fbgraph.catalog.retirements import Retirement
from pipelines.loading.access import due_alerts, retirements, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("pinned", "served", "today", "ok", "said"),
    [
        ("v26.0", "", TODAY, True, "v26.0; Meta has not announced its end"),
        ("v26.0", "v26.0", TODAY, True, "its end; v27.0 is the newest"),
        ("v26.0", "v26.0", date(2026, 11, 3), True, "v26.0; Meta has not announced its end"),
        ("v27.0", "v27.0", TODAY, True, "v27.0; Meta has not announced its end"),
        *(
            ("v25.0", "v26.0", TODAY, False, text)
            for text in ("requested v25.0, but v26.0 answered", "Set FB_API_VERSION=v26.0.")
        ),
        ("v26.0", "v28.0", TODAY, False, "v28.0 answered. fbinsights does not know API version"),
        ("v25.0", "v25.0", date(2026, 12, 24), True, "v25.0, served by Meta until 2027-02-23"),
        ("v25.0", "v25.0", date(2026, 12, 25), False, "ends on 2027-02-23, in 60 days"),
        ("v25.0", "", date(2027, 2, 22), False, "in 1 day. Read Meta's changelog, then set FB_A"),
        (
            "v25.0",
            "",
            date(2027, 2, 23),
            False,
            "today. Read Meta's changelog, then set FB_API_VER",
        ),
        ("v25.0", "", date(2027, 2, 24), False, "Meta ended API version v25.0 on 2027-02-23. Set"),
        ("v24.0", "v25.0", TODAY, False, "ended API version v24.0 on 2026-11-10"),
        ("v99.0", "v99.0", TODAY, False, "Upgrade fbinsights, or set FB_API_VERSION to v25.0 (unt"),
    ],
)
def test_a_version_is_judged_by_who_served_and_by_its_end_of_life(
    pinned: str, served: str, today: date, *, ok: bool, said: str
) -> None:
    found = version(pinned, served, today)

    assert found[0] == ok
    assert said in found[2]


GONE = Retirement(
    *("action_attribution_windows", "28d_click", date(2027, 3, 1)),
    *("will have no value", "7d_click", "Out-of-cycle changes 2027"),
)
USED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "insights_daily": {"action_attribution_windows": ("7d_click", "28d_click"), "fields": ("x",)},
    "other": {"action_attribution_windows": ("7d_click",), "fields": ("28d_click",)},
}


@pytest.mark.parametrize(
    ("today", "ok", "said"),
    [
        (date(2026, 12, 30), True, "Meta has announced none within 60 days"),
        (date(2026, 12, 31), False, "insights_daily: action_attribution_windows: 28d_click will"),
        (date(2026, 12, 31), False, "from 2027-03-01; use 7d_click (Out-of-cycle changes 2027)"),
        (date(2027, 3, 1), False, "since 2027-03-01; use 7d_click"),
    ],
)
def test_what_a_report_asks_for_is_told_sixty_days_before_it_is_retired(
    today: date, *, ok: bool, said: str
) -> None:
    found = retirements(USED, today, [GONE])

    assert found[:2] == (ok, "retirements")
    assert said in found[2]
    assert "other" not in found[2]


def test_what_is_wrong_is_told_at_once_again_after_three_days_and_forgotten_when_right() -> None:
    wrong, right = [(False, "token", "expires in 13 days")], [(True, "token", "never expires")]
    days = [date(2026, 11, day) for day in (1, 2, 3, 4, 5, 6)]
    told: dict[str, date] = {}
    said = []
    for day, findings in zip(days, [wrong, wrong, wrong, wrong, right, wrong], strict=True):
        texts, kept = due_alerts(findings, told, day)
        told = dict(kept)
        said.append(list(texts.values()))

    text = ["token: expires in 13 days"]
    assert said == [text, [], [], text, [], text]
