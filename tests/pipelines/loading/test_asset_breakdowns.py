"""Breakdowns by asset come as objects: typed columns, told apart by the id, on either way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import warehouse
from pipelines.reports.spec import ReportSpec
from pipelines.reports.tables import ASSET_BREAKDOWNS, table_of
from warehouse.decode import pages as decode_module
from warehouse.decode.casts import graph_row
from warehouse.decode.native import reader
from warehouse.decode.pages import Account, decode
from warehouse.lake.records import Load
from warehouse.lake.staging import staging_area
from warehouse.published.publish import publish
from warehouse.schema.table import Column
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warehouse.lake.partitions import Lake
    from warehouse.schema.table import Table

DAY = date(2026, 11, 21)
ACCOUNT = Account("11", "Europe/Berlin", "EUR")
IMAGE = {"hash": "ab12", "url": "https://x.net/1.png?oh=00_A", "id": "1201", "name": "bike.png"}


def made(*breakdowns: str, level: str = "ad") -> Table:
    return table_of(ReportSpec(name="mine", level=level, fields=("spend",), breakdowns=breakdowns))


IMAGES = made("image_asset")


def row(asset: object, *, ad: int = 1, key: str = "image_asset", **more: Any) -> dict[str, Any]:
    values = {"account_id": "11", "ad_id": str(ad), "impressions": "10", "clicks": "1"}
    days = {"date_start": str(DAY), "date_stop": str(DAY)}
    return values | {"spend": "0.10"} | days | ({} if asset is None else {key: asset}) | more


def page(*rows: Mapping[str, Any]) -> bytes:
    text = json.dumps({"data": rows, "paging": {"cursors": {"after": "b"}}}, separators=(",", ":"))
    return text.replace("/", "\\/").encode()  # as Meta writes it


def assets(*bodies: bytes) -> list[tuple[Any, ...]]:
    found = decode(IMAGES, bodies, ACCOUNT, [DAY])
    names = [name for name in found.rows.schema.names if name.startswith("image_asset")]
    return [tuple(one[name] for name in names) for one in found.rows.to_pylist()]


def test_an_asset_is_a_key_and_a_column_for_each_thing_that_is_known_of_it() -> None:
    names = [name for name in IMAGES.arrow_schema.names if name.startswith("image_asset")]

    assert names == ["image_asset_id", "image_asset_hash", "image_asset_name", "image_asset_url"]
    assert IMAGES.grain == ("account_id", "ad_id", "date", "image_asset_id")
    assert IMAGES.breakdowns == ("image_asset",)
    assert "image_asset" not in IMAGES.fields
    assert assets(page(row(IMAGE))) == [("1201", "ab12", "bike.png", IMAGE["url"])]


@pytest.mark.parametrize("name", ASSET_BREAKDOWNS)
def test_every_kind_of_asset_takes_the_fast_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(decode_module, "judge_page", slow)
    table = made(name)
    asset = {
        "id": "7",
        **{part: f"a {part} of {{braces}} and [brackets]" for part in ASSET_BREAKDOWNS[name]},
    }
    bodies = [page(row(asset, key=name), row(None, ad=2)), page(row({}, ad=3, key=name))]

    found = decode(table, bodies, ACCOUNT, [DAY])

    key, *others = [c.name for c in table.columns if c.source == name]
    assert found.rows[key].to_pylist() == ["7", None, None]
    assert found.rows.select(others).to_pylist()[0] == {
        other: asset[other.removeprefix(key.removesuffix("id"))] for other in others
    }


def test_a_format_is_a_text() -> None:
    found = decode(
        made("ad_format_asset"), [page(row("carousel", key="ad_format_asset"))], ACCOUNT, [DAY]
    )

    assert found.rows["ad_format_asset"].to_pylist() == ["carousel"]


@pytest.mark.parametrize(
    ("asset", "key"),
    [
        ({"hash": "ab12", "url": "u"}, "ab12"),
        ({"id": None, "hash": "ab12"}, "ab12"),
        ({"id": 1201, "hash": "ab12"}, "1201"),
        ("1201", "1201"),
        ({}, None),
        (None, None),
    ],
)
def test_the_key_is_the_id_or_else_the_hash(asset: object, key: str | None) -> None:
    assert [found[0] for found in assets(page(row(asset)))] == [key]
    assert [found[0] for found in assets(page(row(asset), row(IMAGE, ad=2)))] == [key, "1201"]


@pytest.mark.parametrize("key", [{}, [], True, ["1201"]])
def test_a_key_that_cannot_be_read_costs_the_row(key: object) -> None:
    found = decode(IMAGES, [page(row({"id": key}), row(IMAGE, ad=2))], ACCOUNT, [DAY])

    assert found.rows["ad_id"].to_pylist() == ["2"]
    [reject] = found.rejects
    assert (reject.column, reject.lost) == ("image_asset_id", "row")


def test_what_else_an_asset_has_costs_its_own_cell() -> None:
    found = decode(IMAGES, [page(row(IMAGE | {"name": ["x"], "url": "\ud83d"}))], ACCOUNT, [DAY])

    [told] = found.rows.to_pylist()
    assert (told["image_asset_id"], told["image_asset_name"]) == ("1201", None)
    assert told["image_asset_url"] == "\ufffd"
    assert [(one.column, one.lost) for one in found.rejects] == [
        ("image_asset_name", "cell"),
        ("image_asset_url", "nothing"),
    ]


def test_what_is_not_known_of_an_asset_is_named_on_either_way() -> None:
    crops = row(IMAGE | {"image_crops_100x100": [[0, 0], [100, 100]]})

    fast = decode(IMAGES, [page(crops)], ACCOUNT, [DAY])
    careful = decode(IMAGES, [page(crops, row(IMAGE, clicks="x"))], ACCOUNT, [DAY])

    assert fast.unknown_fields == careful.unknown_fields == ("image_asset.image_crops_100x100",)
    assert fast.rows["image_asset_id"].to_pylist() == ["1201"]


#: Pages that the reader in C is given in another form than they came in.
TAKEN = [
    [row(IMAGE)],
    [row(IMAGE), row({}, ad=2), row(None, ad=3), row(IMAGE, ad=4)],
    [row(None), row(None, ad=2)],
    [row(IMAGE), row(IMAGE | {"name": 'a ] b [ c "image_asset":{ d'}, ad=2)],
    [row(IMAGE, ad_name='"image_asset":{"id":"1"} \\')],
    [],
]

#: And those that only Arrow's takes, or that nobody does.
DECLINED = [
    [row([IMAGE])],
    [row([])],
    [row(IMAGE), row([IMAGE], ad=2)],
    [row([IMAGE], ad=2), row(IMAGE)],
    [row(IMAGE | {"name": "a } b"})],
    [row(IMAGE | {"name": "a } b"}), row(IMAGE | {"name": "a ] b"})],
    [row(IMAGE | {"odd": {"id": "1"}})],
    [row(IMAGE), row(IMAGE | {"odd": {"id": "1"}}, ad=2)],
    [row(IMAGE, odd={"image_asset": IMAGE})],
    [row(IMAGE | {"id": 7})],
    [row("1201")],
]


@pytest.mark.parametrize("rows", TAKEN)
def test_our_reader_gives_objects_as_arrows_does(
    rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = page(*rows)
    taken = reader.read(graph_row(IMAGES), [body, page(row(IMAGE))])
    assert taken is not None
    taken.validate(full=True)
    ours = assets(body)
    monkeypatch.setattr(reader, "LIBRARY", None)

    assert ours == assets(body)


@pytest.mark.parametrize("rows", DECLINED)
def test_our_reader_declines_what_is_not_an_object_of_texts(rows: list[Any]) -> None:
    assert reader.read(graph_row(IMAGES), [page(*rows)]) is None


def test_a_text_with_a_brace_in_it_is_read_as_it_is() -> None:
    names = ["a } b", "}", "{", "}]", "a }], b", '\\"image_asset\\":{']
    bodies = [page(*(row(IMAGE | {"name": name}, ad=n) for n, name in enumerate(names)))]

    assert [found[2] for found in assets(*bodies)] == names


def test_the_same_asset_with_another_signed_address_is_one_row(lake: Lake) -> None:
    again = IMAGE | {"url": "https://x.net/1.png?oh=00_B"}
    other = IMAGE | {"url": "https://x.net/1.png?oh=00_C"}

    with staging_area(lake, IMAGES, ACCOUNT, [DAY]) as staging:
        staging.add([page(row(IMAGE), row(again))])
        staging.add([page(row(other), row(IMAGE, ad=2), row(IMAGE, ad=2, clicks="2"))])
        merged = staging.merge(DAY)
        record = {"verdict": PROVEN, "loaded_at": datetime(2026, 11, 22, tzinfo=UTC)}
        merged.publish(Load.of("mine", "11", DAY, merged.found, **record))

    found = merged.found
    assert (found.rows, found.repeated) == (3, 2)
    assert found.duplicates == 1  # rows that differ in a number are not the same
    assert len(set(lake.read("mine")["image_asset_id"].to_pylist())) == 1


def test_days_that_were_kept_as_json_still_publish_and_a_new_load_fills_the_columns(
    lake: Lake,
) -> None:
    """A lake of 2026-11-28 has one column of JSON in the place of those that there are now."""
    old = replace(
        IMAGES,
        columns=tuple(
            Column("image_asset", "json", "Breakdown image_asset", breakdown=True)
            if column.name == "image_asset_id"
            else column
            for column in IMAGES.columns
            if not column.inside or column.name == "image_asset_id"
        ),
        grain=("account_id", "ad_id", "date", "image_asset"),
    )
    before, after = DAY - timedelta(days=1), DAY
    for table, day in ((old, before), (IMAGES, after)):
        days = {"date_start": str(day), "date_stop": str(day)}
        rows = decode(table, [page(row(IMAGE) | days)], ACCOUNT, [day]).rows
        lake.replace(table, rows, account_id="11", date=day)

    publish(lake.root)

    with warehouse.open(lake.root) as opened:
        told = "SELECT date, image_asset_id, image_asset_hash, spend FROM {} ORDER BY date"
        expected = [
            (before, None, None, Decimal("0.10")),
            (after, "1201", "ab12", Decimal("0.10")),
        ]
        assert opened.sql(told.format("mine")).fetchall() == expected
        assert opened.sql(told.format("lake.mine")).fetchall() == expected
    assert lake.read("mine")["image_asset_id"].to_pylist() == [None, "1201"]
