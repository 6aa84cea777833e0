from __future__ import annotations

from datetime import date

import pytest

from pipelines.access import to_tell, version

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("pinned", "served", "today", "ok", "said"),
    [
        ("v26.0", "", TODAY, True, "v26.0"),
        ("v26.0", "v26.0", TODAY, True, "v26.0"),
        ("v25.0", "v26.0", TODAY, False, "asked for v25.0, served v26.0"),
        ("v24.0", "v24.0", date(2026, 8, 7), True, "until 2026-10-06"),
        ("v24.0", "v24.0", date(2026, 8, 8), False, "ends on 2026-10-06, in 59 days"),
        ("v24.0", "v24.0", TODAY, False, "ended on 2026-10-06"),
        ("v99.0", "v99.0", TODAY, True, "v99.0"),  # newer than our table
    ],
)
def test_a_version_is_judged_by_who_served_and_by_its_end_of_life(
    pinned: str, served: str, today: date, *, ok: bool, said: str
) -> None:
    found = version(pinned, served, today)

    assert found[0] == ok
    assert said in found[2]


def test_what_is_wrong_is_told_at_once_again_after_three_days_and_forgotten_when_right() -> None:
    wrong, right = [(False, "token", "expires in 13 days")], [(True, "token", "never expires")]
    days = [date(2026, 11, day) for day in (1, 2, 3, 4, 5, 6)]
    told: dict[str, date] = {}
    said = []
    for day, findings in zip(days, [wrong, wrong, wrong, wrong, right, wrong], strict=True):
        texts, kept = to_tell(findings, told, day)
        told = dict(kept)
        said.append(list(texts))

    text = ["token: expires in 13 days"]
    assert said == [text, [], [], text, [], text]
