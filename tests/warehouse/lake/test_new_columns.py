"""A column that a lake has not had before: its first values are no change of what was known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tests.warehouse.lake.campaigns import campaign, seen
from warehouse.lake.history import footer_of_objects
from warehouse.lake.partitions import Lake
from warehouse.schema.catalog import OWN
from warehouse.schema.tables import OBJECT_TABLES

if TYPE_CHECKING:
    from pathlib import Path

CAMPAIGNS: Final = OBJECT_TABLES["campaigns"]

#: As code wrote it that did not know the bid strategy yet.
OLDER: Final = replace(
    OWN,
    objects={
        "campaigns": replace(
            CAMPAIGNS,
            columns=tuple(c for c in CAMPAIGNS.columns if c.name != "bid_strategy"),
        )
    },
)


def history(lake: Lake) -> list[tuple[Any, ...]]:
    rows = lake.read("campaigns_history").to_pylist()
    return [(r["campaign_id"], r["bid_strategy"], r["valid_to"] is None) for r in rows]


def strategy(number: int, name: str | None) -> dict[str, Any]:
    return campaign(number, bid_strategy=name) if name else campaign(number)


def test_the_first_values_complete_the_known_states_and_the_next_ones_are_changes(
    tmp_path: Path,
) -> None:
    seen(Lake(tmp_path, catalog=OLDER), strategy(20, "A"), strategy(21, None), strategy(22, "A"))
    lake = Lake(tmp_path)

    # Some are read by id before all are listed: nothing may be concluded about the others.
    seen(lake, strategy(20, "A"), after=1, complete=False)
    assert history(lake) == [("20", None, True), ("21", None, True), ("22", None, True)]

    seen(lake, strategy(20, "A"), strategy(21, None), strategy(22, "A"), after=2)
    assert history(lake) == [("20", "A", True), ("21", None, True), ("22", "A", True)]

    seen(lake, strategy(20, "A"), strategy(21, "B"), strategy(22, "B"), after=3)
    assert history(lake) == [
        ("20", "A", True),
        *(("21", None, False), ("21", "B", True)),
        *(("22", "A", False), ("22", "B", True)),
    ]


def test_a_column_that_nobody_uses_at_first_has_been_read_all_the_same(tmp_path: Path) -> None:
    seen(Lake(tmp_path, catalog=OLDER), strategy(20, None))
    lake = Lake(tmp_path)
    seen(lake, strategy(20, None), after=1)

    seen(lake, strategy(20, "A"), after=2)

    assert history(lake) == [("20", None, False), ("20", "A", True)]


def test_when_all_were_listed_is_known_until_they_are_listed_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert footer_of_objects(lake, CAMPAIGNS.latest, "11").listed_at is None

    first = seen(lake, campaign(20)).rows["fetched_at"][0].as_py()
    seen(lake, campaign(21), after=1, complete=False)
    assert footer_of_objects(lake, CAMPAIGNS.latest, "11").listed_at == first

    second = seen(lake, campaign(20), after=2).rows["fetched_at"][0].as_py()
    assert footer_of_objects(lake, CAMPAIGNS.latest, "11").listed_at == second
