"""Account-days that are collected, proven and published one by one, whatever their size."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import warehouse
from warehouse.decode.pages import Account
from warehouse.decode.values import HOUR_LABELS
from warehouse.errors import FullDiskError, KeepsProvenError, NotAPageError, WarehouseError
from warehouse.lake import staging as stage_module
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Totals, prove
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.published.publish import publish
from warehouse.schema.columns import HOURLY
from warehouse.schema.tables import TABLES
from warehouse.storage.atomic import STAGING, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from warehouse.lake.staging import MergedDay

TABLE = TABLES["insights_hourly"]
ACCOUNT = Account("11", "Europe/Berlin", "EUR")
DAYS = [date(2026, 11, 20), date(2026, 11, 21)]
LOADED = datetime(2026, 11, 22, 5, tzinfo=UTC)

#: A process that dies with rows aside on disk and a day merged.
KILLED = """
import os, signal
from datetime import date
from warehouse.lake import staging
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.lake.staging import staging_area
staging.HELD_BYTES = staging.SHARE_BYTES = 0
day = date(2026, 11, 21)
with staging_area(Lake({url!r}), "insights_hourly", Account("11", "UTC", "EUR"), [day]) as s:
    s.add([{body!r}])
    s.merge(day)
    os.kill(os.getpid(), signal.SIGKILL)
"""

#: A process that publishes two rows.
QUICK = """
import sys
from datetime import UTC, date, datetime
from warehouse.decode.pages import Account
from warehouse.lake.partitions import Lake
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
day = date(2026, 11, 21)
with staging_area(Lake({url!r}), "insights_hourly", Account("11", "UTC", "EUR"), [day]) as s:
    s.add([{body!r}])
    merged = s.merge(day)
    more = {{"verdict": "proven", "loaded_at": datetime(2026, 11, 22, tzinfo=UTC)}}
    merged.publish(Load.of("insights_hourly", "11", day, merged.found, **more))
print("pandas" in sys.modules)
"""


def row(ad: int, hour: int | None = 0, day: date = DAYS[1], **more: Any) -> dict[str, Any]:
    values = {
        "account_id": "11",
        "ad_id": str(ad),
        "impressions": "10",
        "clicks": "1",
        "spend": "0.10",
        "date_start": str(day),
        "date_stop": str(day),
    }
    return values | ({} if hour is None else {HOURLY: HOUR_LABELS[hour]}) | more


def page(*rows: Any) -> bytes:
    return json.dumps({"data": rows, "paging": {"cursors": {"after": "b"}}}).encode()


def load(merged: MergedDay, day: date = DAYS[1], **more: Any) -> Load:
    more = {"verdict": "proven", "loaded_at": LOADED, **more}
    return Load.of("insights_hourly", "11", day, merged.found, **more)


def debris(lake: Lake) -> list[Path]:
    return list((lake.root / STAGING).iterdir())


def hold(patch: pytest.MonkeyPatch, count: int) -> None:
    """Let stages hold so many bytes in memory."""
    patch.setattr(stage_module, "HELD_BYTES", count)
    patch.setattr(stage_module, "SHARE_BYTES", count)


@pytest.fixture(params=[0, 10**9], ids=["all on disk", "all in memory"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage does the same whether its rows wait in memory or on disk."""
    hold(monkeypatch, request.param)


def keys(lake: Lake, day: date = DAYS[1]) -> list[tuple[str, int | None]]:
    found = lake.read("insights_hourly", account_id="11", date=day).to_pylist()
    return [(r["ad_id"], r["hour"]) for r in found]


@pytest.mark.usefixtures("held")
def test_pages_of_mixed_days_become_one_sorted_file_a_day(lake: Lake) -> None:
    mixed = [row(ad, hour, day) for ad in range(9) for hour in (3, None) for day in DAYS]
    random.Random(1).shuffle(mixed)  # noqa: S311  no secret
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        read = sum(staging.add([page(*mixed[n : n + 5])]) for n in range(0, len(mixed), 5))
        for day in DAYS:
            merged = staging.merge(day)
            merged.publish(load(merged, day))

    assert read == 36
    for day in DAYS:
        assert keys(lake, day) == [(str(ad), hour) for ad in range(9) for hour in (3, None)]
        record = lake.load_of("insights_hourly", "11", day)
        assert (record.rows, record.spend, record.clicks) == (18, Decimal("1.80"), 18)  # type: ignore[union-attr]  # it is there
    assert debris(lake) == []


@pytest.mark.usefixtures("held")
def test_what_was_found_is_what_a_proof_needs(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(*(row(ad) for ad in range(3)))])
        full, empty = staging.merge(DAYS[1]).found, staging.merge(DAYS[0]).found

    assert (full.rows, full.totals) == (3, Totals(30, 3, Decimal("0.30")))
    assert prove(full, Totals(30, 3, Decimal("0.30"))).proven
    assert (empty.rows, empty.totals) == (0, Totals())
    assert prove(empty, None).reason == "no delivery: Meta returned no rows and no total"


@pytest.mark.usefixtures("held")
def test_rows_that_two_parts_brought_count_once_and_the_later_part_is_right(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1), row(2), row(3, None))], part=0)
        staging.add([page(row(2, clicks="5"), row(3, None), row(4))], part=1)
        merged = staging.merge(DAYS[1])
        merged.publish(load(merged))

    found = lake.read("insights_hourly").to_pylist()
    assert [(r["ad_id"], r["clicks"]) for r in found] == [("1", 1), ("2", 5), ("3", 1), ("4", 1)]
    assert (merged.found.repeated, merged.found.duplicates) == (2, 0)
    assert lake.loads()["repeated"].to_pylist() == [2]


@pytest.mark.usefixtures("held")
def test_a_page_read_twice_counts_once_and_rows_that_differ_are_told(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1), row(2))])
        staging.add([page(row(1), row(2, clicks="5"))])
        found = staging.merge(DAYS[1]).found

    assert (found.rows, found.repeated, found.duplicates) == (3, 1, 1)
    assert "1 key has more than one row" in prove(found, found.totals).reason


@pytest.mark.usefixtures("held")
def test_a_dropped_part_is_forgotten_with_its_rejects(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1), row(2))], part=0)
        staging.add([page(row(8), row(9, clicks="x"))], part=1)
        staging.drop(1)
        staging.add([page(row(3))], part=2)
        with pytest.raises(WarehouseError, match="Part 1 was dropped"):
            staging.add([page(row(3))], part=1)
        found = staging.merge(DAYS[1]).found

    assert (found.rows, found.rejected, found.totals.clicks) == (3, 0, 3)


def test_rejects_are_counted_by_day_and_numbered_by_page_of_their_part(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1)), page(row(2), row(3, clicks="x"))])
        staging.add([page(row(4, spend="12a")), page("no row")])
        first, second = staging.merge(DAYS[0]), staging.merge(DAYS[1])
        second.publish(load(second))
        first.publish(load(first, DAYS[0]))

    assert [(r.page, r.row, r.column) for r in second.rejects] == [
        (2, 2, "clicks"),
        (3, 1, "spend"),
    ]
    assert [(r.page, r.row, r.column) for r in first.rejects] == [(4, 1, "")]
    assert (first.found.rejected, second.found.rejected) == (1, 2)
    assert len(list((lake.root / "rejects").rglob("*.parquet"))) == 2


def test_a_body_that_is_no_page_leaves_the_call_without_effect(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        with pytest.raises(NotAPageError):
            staging.add([page(row(1)), b"<html>"])
        assert staging.add([page(row(1)), page(row(2))]) == 2
        found = staging.merge(DAYS[1]).found

    assert (found.rows, found.repeated) == (2, 0)


def test_cells_are_counted_apart_from_rows_and_change_nothing_else(lake: Lake) -> None:
    entries = [{"action_type": "omni_purchase", "value": ""}, None, {"value": "3.2"}]
    odd = [
        row(1, actions=entries),
        row(2, inline_link_clicks="n/a"),
        row(3, campaign_name="Caf\ud83d"),
        row(4),
    ]
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(*odd)])
        merged = staging.merge(DAYS[1])
        merged.publish(load(merged))

    found = merged.found
    assert (found.rows, found.rejected, found.rejected_cells) == (4, 0, 3)
    assert prove(found, Totals(40, 4, Decimal("0.40"))).proven
    assert [(r.row, r.column, r.lost) for r in merged.rejects] == [
        (1, "actions", "value"),
        (1, "actions", "entry"),
        (2, "inline_link_clicks", "cell"),
        (3, "campaign_name", "nothing"),
    ]
    [record] = lake.loads().to_pylist()
    assert (record["rejected"], record["rejected_cells"]) == (0, 3)


def test_a_thousand_rejects_of_each_column_are_kept_and_all_are_counted(lake: Lake) -> None:
    many = [row(n, inline_link_clicks="x", social_spend="y") for n in range(700)]
    bad = [row(n, spend="z") for n in range(700, 705)]
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        for part in (0, 1):
            staging.add([page(*many)], part=part)
        staging.add([page(*bad)], part=2)
        merged = staging.merge(DAYS[1])
        merged.publish(load(merged))

    kept = Counter(reject.column for reject in merged.rejects)
    assert kept == {"inline_link_clicks": 1000, "social_spend": 1000, "spend": 5}
    assert (merged.found.rejected, merged.found.rejected_cells) == (5, 2800)
    publish(lake.root)
    with warehouse.open(lake.root) as opened:
        told = "SELECT column_name, lost, count(*), count(DISTINCT n) FROM rejects GROUP BY ALL"
        assert sorted(opened.sql(told).fetchall()) == [
            ("inline_link_clicks", "cell", 1000, 1000),
            ("social_spend", "cell", 1000, 1000),
            ("spend", "row", 5, 5),
        ]


def test_what_is_not_published_leaves_nothing_and_the_old_day_stays(days: Any, lake: Lake) -> None:
    days.put()
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1))])
        merged = staging.merge(DAYS[1])
        with pytest.raises(KeepsProvenError, match="spend is short"):
            merged.publish(load(merged, verdict="unproven", reason="spend is short"))

    assert len(keys(lake)) == 6
    assert debris(lake) == []


def test_a_load_of_other_rows_is_refused_and_a_second_publish_too(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1))])
        merged = staging.merge(DAYS[1])
        with pytest.raises(WarehouseError, match="The load record is for"):
            merged.publish(load(staging.merge(DAYS[0])))
        merged.publish(load(merged))
        with pytest.raises(WarehouseError, match="already published or discarded"):
            merged.publish(load(merged))
        with pytest.raises(WarehouseError, match="Cannot add pages"):
            staging.add([page(row(2))])


def test_a_reload_through_a_stage_is_told_as_a_restatement(days: Any, lake: Lake) -> None:
    days.put()
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        staging.add([page(row(1))])
        merged = staging.merge(DAYS[1])
        change = merged.publish(load(merged, loaded_at=LOADED + timedelta(days=1)))

    assert change is not None
    assert (change.rows_before, change.rows_after) == (6, 1)


def test_many_threads_may_add_at_once(lake: Lake) -> None:
    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: staging.add([page(row(n, 1), row(n, 2))], part=n), range(40)))
        found = staging.merge(DAYS[1]).found

    assert (found.rows, found.duplicates) == (80, 0)


def test_what_a_killed_process_left_is_no_data_and_goes_with_the_next(lake: Lake) -> None:
    code = KILLED.format(url=str(lake.root), body=page(row(1)))
    killed = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603  our own code

    assert killed.returncode == -9
    assert len(debris(lake)) == 1
    assert lake.read("insights_hourly").num_rows == 0
    with scratch_folder(lake.root) as mine, scratch_folder(lake.root) as other:
        assert sorted(debris(lake)) == sorted([mine, other])


def test_the_path_of_the_rows_imports_no_pandas(lake: Lake) -> None:
    code = QUICK.format(url=str(lake.root), body=page(row(1), row(2)))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # ourselves

    assert done.stdout == "False\n"
    assert lake.read("insights_hourly").num_rows == 2


def test_a_disk_that_is_full_says_so_in_plain_words(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch, 0)
    lake = Lake(small_disk / "lake")
    many = [row(ad, hour) for ad in range(500) for hour in range(24)]

    with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
        with pytest.raises(FullDiskError, match=r"account 11 on 2026-11-21: No space left"):
            staging.add([page(*many)])
        with pytest.raises(WarehouseError, match="reload these days"):
            staging.merge(DAYS[1])
        with pytest.raises(WarehouseError, match="reload these days"):
            staging.add([page(row(1))])

    assert debris(lake) == []


#: Rows of few ads and hours, cut into parts and pages in any way.
cuts = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, 0, 1]), st.integers(0, 2))),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(parts=cuts, spill=st.booleans())
def test_however_rows_are_cut_into_parts_the_last_word_on_each_key_stays(
    parts: Sequence[Sequence[tuple[int, int | None, int]]],
    spill: bool,  # noqa: FBT001  hypothesis names it
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    expected, duplicates = _last_words(parts)
    with pytest.MonkeyPatch.context() as patch:
        hold(patch, 0 if spill else 10**9)
        with staging_area(lake, TABLE, ACCOUNT, DAYS) as staging:
            for number, rows in enumerate(parts):
                staging.add([page(row(a, h, clicks=str(c))) for a, h, c in rows], part=number)
            merged = staging.merge(DAYS[1])
            merged.publish(load(merged))

    found = lake.read("insights_hourly").to_pylist()
    assert sorted((r["ad_id"], str(r["hour"]), r["clicks"]) for r in found) == expected
    assert merged.found.duplicates == duplicates


def _last_words(parts: Iterable[Iterable[tuple[int, int | None, int]]]) -> tuple[list[Any], int]:
    by_key: dict[tuple[str, str], set[int]] = {}
    for rows in parts:
        fresh: dict[tuple[str, str], set[int]] = {}
        for ad, hour, clicks in rows:
            fresh.setdefault((str(ad), str(hour)), set()).add(clicks)
        by_key |= fresh
    rows_left = sorted((*key, clicks) for key, found in by_key.items() for clicks in found)
    return rows_left, sum(len(found) > 1 for found in by_key.values())
