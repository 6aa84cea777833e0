"""Pages of insights to typed rows: exact or rejected, never rounded, never silently null."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from tests.warehouse.decode.insights import ACCOUNT, DAY, TABLE, load, page, row
from tests.warehouse.malformed import MALFORMED, REJECTED, Case
from warehouse.decode.casts import Expected, typed
from warehouse.decode.pages import decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.errors import NotAPageError, UnknownZoneError
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.published.publish import publish
from warehouse.schema.columns import HOURLY
from warehouse.schema.table import Column
from warehouse.schema.tables import TABLES
from warehouse.schema.verdicts import UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from warehouse.lake.partitions import Lake
    from warehouse.lake.staging import MergedDay

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)


def test_a_row_has_exact_numbers_its_day_and_the_instants_of_its_hour() -> None:
    [found] = load(page(row())).rows.to_pylist()

    assert found["campaign_name"] == "DE | Sales | 東京 🚲"
    assert (found["impressions"], found["spend"]) == (318, Decimal("2.17"))
    assert found["actions"] == [{"action_type": "link_click", "value": Decimal(3)}]
    assert (found["date"], found["hour"], found["hour_seconds"]) == (DAY, 7, 3600)
    assert found["hour_start_utc"] == datetime(2026, 11, 21, 6, tzinfo=UTC)
    assert found["hour_end_utc"] == datetime(2026, 11, 21, 7, tzinfo=UTC)
    assert found["account_timezone"] == "Europe/Berlin"


def test_a_row_without_its_hour_keeps_no_hour_and_no_instants() -> None:
    [found] = load(page(row(**{HOURLY: None}))).rows.to_pylist()

    hours = ("hour", "hour_start_utc", "hour_end_utc", "hour_seconds")
    assert [found[name] for name in hours] == [None, None, None, None]


def test_what_is_missing_or_null_is_null_and_neither_zero_nor_an_empty_list() -> None:
    body = page(row(clicks=None), row(clicks="0"), row(actions=None), row(actions=[]))
    null = page(row()).replace(b'"clicks": "4"', b'"clicks": null')

    found = load(body, null).rows.to_pylist()

    assert [r["clicks"] for r in found] == [None, 0, 4, 4, None]
    assert [r["actions"] for r in found][2:4] == [None, []]


def test_pages_keep_their_order_and_empty_ones_add_nothing() -> None:
    bodies = [page(*(row(clicks=str(n * 3 + k)) for k in range(3))) for n in range(20)]
    bodies.insert(5, page())

    assert load(*bodies).rows["clicks"].to_pylist() == list(range(60))
    assert load().rows.schema == load(page()).rows.schema == TABLE.arrow_schema


def test_each_day_of_several_has_its_own_instants() -> None:
    days = [date(2026, 10, 24), date(2026, 10, 25)]
    rows = [row(date_start=str(d), date_stop=str(d), **{HOURLY: HOUR_LABELS[2]}) for d in days]

    found = decode(TABLE, [page(*rows)], ACCOUNT, days).rows

    assert found["hour_seconds"].to_pylist() == [3600, 7200]


def published(lake: Lake, bodies: Iterable[bytes]) -> MergedDay:
    """Let pages take the whole way, each by itself: a stage, a file, the published DuckDB."""
    with staging_area(lake, TABLE, ACCOUNT, [DAY]) as staging:
        for body in bodies:
            staging.add([body])
        merged = staging.merge(DAY)
        more = {"verdict": UNPROVEN, "loaded_at": NOW}
        merged.publish(Load.of(TABLE.name, ACCOUNT.account_id, DAY, merged.found, **more))
    publish(lake.root)
    return merged


def test_the_sum_of_a_million_spends_is_the_sum_of_their_texts(lake: Lake) -> None:
    few = '{{"account_id": "{}", "ad_id": "{}", "spend": "{}", "date_start": "{}"}}'
    texts = [f"{n % 977}.{n * 7919 % 1_000_000:06}" for n in range(1_000_000)]
    expected = sum(map(Decimal, texts))

    def pages() -> Iterator[bytes]:
        for first in range(0, len(texts), 20_000):
            spends = enumerate(texts[first : first + 20_000], start=first)
            rows = [few.format(ACCOUNT.account_id, n, spend, DAY) for n, spend in spends]
            yield f'{{"data":[{",".join(rows)}]}}'.encode()

    merged = published(lake, pages())

    with warehouse.open(lake.root) as opened:
        sums = opened.sql("SELECT (FROM insights_hourly SELECT sum(spend)), spend FROM loads")
        assert sums.fetchall() == [(expected, expected)]
    assert merged.found.totals.spend == expected


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: ascii(f"{case.key}={case.raw[:40]}"))
def test_a_malformed_value_loads_exactly_or_is_rejected_and_its_neighbours_load(case: Case) -> None:
    neighbours = [row(ad_id=str(n)) for n in range(49)]
    odd = json.dumps(row() | {case.key: "@"}).replace('"@"', case.raw)
    rows = [json.dumps(neighbour) for neighbour in neighbours]
    rows.insert(24, odd)
    body = f'{{"data": [{", ".join(rows)}]}}'.encode("utf-8", "surrogateescape")

    found = decode(TABLE, [page(row()), body], ACCOUNT, [DAY])

    loaded = found.rows.to_pylist()[1:]
    assert tuple(reject.lost for reject in found.rejects) == case.lost
    for reject in found.rejects:
        assert (reject.page, reject.row) == (2, 25)
        assert reject.column == _column(case)
        assert reject.reason
        assert reject.raw == odd.encode("utf-8", "backslashreplace").decode()
    if case.loads is not REJECTED:
        odd_one = loaded.pop(24)
        assert odd_one.get(_column(case)) == case.loads
        assert odd_one["spend"] == (case.loads if case.key == "spend" else Decimal("2.17"))
    assert [r["ad_id"] for r in loaded] == [n["ad_id"] for n in neighbours]


def _column(case: Case) -> str:
    names = {column.source: column.name for column in TABLE.columns}
    return names.get(case.key, case.key) if case.column is None else case.column


def test_every_malformed_value_takes_the_whole_way_and_is_exact_or_rejected(lake: Lake) -> None:
    """Bytes of pages, a stage, a file of the lake, the published DuckDB: one row per case."""
    odd = [
        json.dumps(row(**{"ad_id": str(n)} | {case.key: "@"})).replace('"@"', case.raw)
        for n, case in enumerate(MALFORMED)
    ]
    # One case is as large as a count can be; the sum of all has to be one as well.
    odd.append(json.dumps(row(ad_id=str(len(odd)), impressions=str(-(2**62)))))
    bodies = [
        f'{{"data":[{",".join(odd[n : n + 10])}],"paging":{{}}}}'.encode("utf-8", "surrogateescape")
        for n in range(0, len(odd), 10)
    ]
    published(lake, bodies)

    with warehouse.open(lake.root) as opened:
        loaded = {r["ad_id"]: r for r in opened.arrow("FROM insights_hourly").to_pylist()}
        rejects: dict[tuple[int, int], list[Any]] = {}
        for reject in opened.arrow("FROM rejects ORDER BY n").to_pylist():
            rejects.setdefault((reject["page"], reject["row"]), []).append(reject)
        counted = opened.sql("SELECT rejected, rejected_cells FROM loads").fetchall()
    assert len(MALFORMED) >= 52
    every = [lost for case in MALFORMED for lost in case.lost]
    assert counted == [
        (every.count("row"), sum(every.count(lost) for lost in ("cell", "entry", "value")))
    ]
    assert len(loaded) + every.count("row") == len(odd)
    for n, case in enumerate(MALFORMED):
        of_row = rejects.get((n // 10 + 1, n % 10 + 1), [])
        assert tuple(reject["lost"] for reject in of_row) == case.lost
        for reject in of_row:
            assert reject["column_name"] == _column(case)
            assert reject["reason"]
            assert reject["value"]
            assert reject["raw"] == odd[n].encode("utf-8", "backslashreplace").decode()
        if case.loads is not REJECTED:
            key = case.loads if case.key == "ad_id" else str(n)
            assert loaded[key].get(_column(case)) == case.loads


@pytest.mark.parametrize("raw", ["null", "[]", '["a"]', '"x"', "7", "[[1]]"])
def test_a_row_that_is_no_object_is_rejected_and_its_neighbours_load(raw: str) -> None:
    body = page(row(), row()).replace(b"}, {", f"}}, {raw}, {{".encode(), 1)

    found = load(body)

    assert found.rows.num_rows == 2
    assert [(r.row, r.column, r.raw) for r in found.rejects] == [(2, "", raw)]


def test_a_reject_names_page_row_value_and_day_and_counts_pages_as_the_caller_does() -> None:
    bodies = [page(row()), page(row(), row(spend="12a"))]

    [reject] = decode(TABLE, bodies, ACCOUNT, [DAY], first_page=40).rejects

    assert (reject.page, reject.row, reject.column) == (41, 2, "spend")
    assert (reject.value, reject.reason) == ('"12a"', "not a decimal number")
    assert reject.date == DAY
    assert json.loads(reject.raw) == row(spend="12a")


def test_a_reject_names_the_entry_of_a_list_however_long_it_is() -> None:
    entries = [{"action_type": f"custom.{n}", "value": "1"} for n in range(300)]
    entries[199]["value"] = "12a"

    [reject] = load(page(row(actions=entries))).rejects

    assert reject.column == "actions"
    assert reject.reason == "value of entry 200: not a decimal number"
    assert json.loads(reject.raw)["actions"] == entries


def test_unknown_keys_are_left_out_and_named_once() -> None:
    odd = row(reach="0", actions=[{"action_type": "like", "value": "1", "1d_view": "0"}])

    fast = load(page(odd), page(odd, odd))
    careful = load(page(odd, row(clicks="x"), row(wish_bid="1")))

    assert list(fast.unknown_fields) == ["actions.1d_view", "reach"]
    assert list(careful.unknown_fields) == ["actions.1d_view", "reach", "wish_bid"]
    assert fast.rows.schema == careful.rows.schema == TABLE.arrow_schema


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"[": ', "}")])
def test_an_unknown_key_may_nest_as_deep_as_json_reads(opens: str, closes: str) -> None:
    deep, deepest = (
        page(row()).replace(b'"2.17"', f'"2.17", "odd": {opens * n}1{closes * n}'.encode())
        for n in (500, 200_000)
    )

    assert list(load(deep).unknown_fields) == ["odd"]
    with pytest.raises(NotAPageError, match="recursion"):  # and not the end of the process
        load(deepest)


def test_odd_brackets_in_texts_are_no_depth() -> None:
    rows = [row(campaign_name=f"[{n} :{{", wish_bid=n) for n in range(2_000)]

    found = typed(Expected(TABLE, ACCOUNT, [DAY]), [page(*rows)])

    assert found[0].num_rows == 2_000
    assert found[1] == {"wish_bid"}


def test_a_key_that_is_no_text_is_left_out_and_named() -> None:
    odd = page(row()).replace(b'"clicks"', b'"cl\xff"')

    found = load(page(row()), odd)

    assert found.rows["clicks"].to_pylist() == [4, None]
    assert list(found.unknown_fields) == ["cl\udcff"]


def test_an_attribution_window_that_was_asked_for_is_kept_beside_the_value() -> None:
    actions = Column("actions", "actions", "…", windows=("1d_view",))
    table = replace(TABLE, columns=(*TABLE.columns[:-5], actions))
    entry = {"action_type": "like", "value": "2", "1d_view": "0"}

    for odd in ("4", "x"):
        body = page(row(actions=[entry]), row(clicks=odd))
        [first, *_] = decode(table, [body], ACCOUNT, [DAY]).rows["actions"].to_pylist()
        assert first == [{"action_type": "like", "value": Decimal(2), "1d_view": Decimal(0)}]


NOT_PAGES = [
    (b"", "Expecting value"),
    (b"   ", "Expecting value"),
    (b"<html><body>502</body></html>", "the body starts with '<html>"),
    (b'{"data": [{"account_id": "1"', "Expecting"),
    (b'{"error": {"message": "(#17) User request limit reached", "code": 17}}', "it is an error"),
    (b'{"data": {"account_id": "1"}}', "`data` is missing or not a list"),
    (b'{"data": null}', "`data` is missing or not a list"),
    (b'{"success": true}', "`data` is missing or not a list"),
    (b'[{"data": []}]', "not a JSON object"),
    (b'{"data": []}{"data": []}', "Extra data"),
    (b'{"data": [], "data": []}', "appears more than once"),
    (b'{"data": []} and more', "Extra data"),
    (b'\xef\xbb\xbf{"data": []}', "Expecting value|BOM"),
    (b'"Service Unavailable"', "not a JSON object"),
    (b"null", "not a JSON object"),
    (b"{}", "`data` is missing or not a list"),
    (b'{"data": [],}', "Expecting property name|Illegal trailing comma"),
    (b'{"data": [1,]}', "Expecting value|Illegal trailing comma"),
    (b'{"data": [/* none */]}', "Expecting value"),
    (b"{'data': []}", "Expecting property name"),
    (b'{"data": []}\n{"data": []}', "Extra data"),
    (b'{"data": []},{"data": []}', "Extra data"),
    (b'{"data": []}}', "Extra data"),
    (b'{"data": []}\0', "Extra data"),
    (b'{"data": [{"clicks": 0x1F}]}', "Expecting"),
    (b'{"data": [{"clicks": 05}]}', "Expecting"),
    (b'{"data": [{"campaign_name": "a\nb"}]}', "Invalid control character"),
    (b'{"data": [{"campaign_name": "\\q"}]}', "Invalid .*escape"),
    (b'{"data": [], "d\\u0061ta": []}', "appears more than once"),
    (b'{"data": [], "paging": {}, "paging": {}}', "appears more than once"),
    ('{"data": []}'.encode("utf-16"), "Expecting value"),
    (gzip.compress(b'{"data": []}', mtime=0), "Expecting value"),
    (b'{"data": [' + b"[" * 5000 + b"]" * 5000 + b"]}", "recursion"),
]


@pytest.mark.parametrize(("body", "reason"), NOT_PAGES)
def test_a_body_that_is_no_page_is_named_by_its_number(body: bytes, reason: str) -> None:
    with pytest.raises(NotAPageError, match=reason) as caught:
        load(page(row()), page(row()), body)

    assert caught.value.page == 3


@pytest.mark.parametrize(
    "body",
    [
        b'\r\n\t {"data": []}',
        b'{"data": []}\r\n',
        b'{"d\\u0061ta": []}',
        b'{"paging": {"next": "data"}, "data": [], "summary": {"data": [1]}}',
        b'{"data": [], "paging": {"x": "\xff", "y": "\\ud800"}}',
    ],
)
def test_a_page_may_be_written_in_any_way_that_json_allows(body: bytes) -> None:
    assert load(page(row()), body, page(row())).rows.num_rows == 2


def test_two_pages_in_one_body_do_not_make_up_for_an_empty_one() -> None:
    with pytest.raises(NotAPageError):
        load(page(row()) + page(row()), b" ")


def test_a_zone_nobody_knows_names_the_account() -> None:
    account = replace(ACCOUNT, timezone_name="Mars/Olympus")

    with pytest.raises(UnknownZoneError, match="of account 111122223333444"):
        decode(TABLE, [page(row())], account, [DAY])


def test_control_rows_take_the_same_way() -> None:
    total = {key: row()[key] for key in ("account_id", "impressions", "spend", "date_start")}

    [found] = decode(TABLES["control_daily"], [page(total)], ACCOUNT, [DAY]).rows.to_pylist()

    assert (found["date"], found["impressions"], found["clicks"]) == (DAY, 318, None)
