"""Our reader in C takes pages just as Arrow's does, or declines them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from warehouse.decode.native import reader

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPILER = shutil.which("gcc")

ROW = pa.struct(
    [
        ("ad_id", pa.string()),
        ("ad_name", pa.string()),
        ("actions", pa.list_(pa.struct([("action_type", pa.string()), ("value", pa.string())]))),
    ]
)

NULLS = dict.fromkeys(field.name for field in ROW)


def read(*bodies: bytes) -> list[Any] | None:
    rows = reader.read(ROW, bodies)
    if rows is not None:
        rows.validate(full=True)
    return None if rows is None else rows.to_pylist()


TAKEN = [
    (b'{"data":[]}', []),
    (b' \r\n\t{ "data" : [ ] } \n', []),
    (b'{"paging":{"cursors":{"after":"x\\u00e9"}},"data":[],"n":[-0.5e+3,true,null]}', []),
    (b'{"data":[{}]}', [NULLS]),
    (b'{"data":[{"ad_id":null,"actions":null}]}', [NULLS]),
    (b'{"data":[{"ad_name":"b","ad_id":"1"}]}', [NULLS | {"ad_id": "1", "ad_name": "b"}]),
    (b'{"data":[{"actions":[]}]}', [NULLS | {"actions": []}]),
    (b'{"data":[{"actions":[{}]}]}', [NULLS | {"actions": [{"action_type": None, "value": None}]}]),
    (b'{"data":[{"ad_name":""}]}', [NULLS | {"ad_name": ""}]),
    (rb'{"data":[{"ad_name":"\"\\\/\b\f\n\r\t"}]}', [NULLS | {"ad_name": '"\\/\b\f\n\r\t'}]),
    (rb'{"data":[{"ad_name":"\u0000\u00E9\u6771"}]}', [NULLS | {"ad_name": "\x00é東"}]),
    (rb'{"data":[{"ad_name":"\ud83d\udeb2"}]}', [NULLS | {"ad_name": "🚲"}]),
    (
        '{"data":[{"ad_name":"\x7fé東🚲\U0010ffff"}]}'.encode(),
        [NULLS | {"ad_name": "\x7fé東🚲\U0010ffff"}],
    ),
]


@pytest.mark.parametrize(("body", "rows"), TAKEN)
def test_what_graph_sends_is_taken(body: bytes, rows: Sequence[Any]) -> None:
    assert read(body) == rows


def in_a_name(text: bytes) -> bytes:
    return b'{"data":[{"ad_name":"' + text + b'"}]}'


def beside(value: bytes) -> bytes:
    return b'{"data":[],"paging":' + value + b"}"


DECLINED = [
    *(b"", b"null", b"[]", b"{}", b'{"paging":{}}', b'{"data":null}', b'{"data":{}}', b"\0"),
    *(b'{"data":[]', b'{"data":[],}', b'{"data":[]}}', b'{"data":[]}\0', b'{"data":[]} x'),
    *(b'{"data":[],"data":[]}', b'{"data":[],"a":1,"a":1}', b'{"d\\u0061ta":[]}'),
    b'{"data":[],"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1}',
    *(b'{"data":[null]}', b'{"data":[1]}', b'{"data":[[]]}', b'{"data":[{},]}', b'{"data":[{}{}]}'),
    *(b'{"data":[{"clicks":"1"}]}', b'{"data":[{"ad_id":1}]}', b'{"data":[{"ad_id":true}]}'),
    *(b'{"data":[{"ad_id":{}}]}', b'{"data":[{"ad_id":[]}]}', b'{"data":[{"ad_id":nul}]}'),
    *(b'{"data":[{"ad_id":"1","ad_id":"1"}]}', b'{"data":[{"ad_id":null,"ad_id":null}]}'),
    *(b'{"data":[{"ad_id" "1"}]}', b'{"data":[{"ad_id":"1",}]}', b'{"data":[{"ad_id":"1"]}'),
    *(b'{"data":[{"actions":"a"}]}', b'{"data":[{"actions":{}}]}', b'{"data":[{"actions":[1]}]}'),
    *(b'{"data":[{"actions":[null]}]}', b'{"data":[{"actions":[{"1d_view":"1"}]}]}'),
    b'{"data":[{"actions":[{"value":"1","value":"1"}]}]}',
    *map(in_a_name, [b"\n", b"\x1f", b"\0", b"\\x", b"\\", b"\\u12", b"\\u12g4", b"\\u+123"]),
    *map(in_a_name, [b"\\ud83d", b"\\ud83d\\ud83d", b"\\udeb2", b"\\ud83d\\n", b"\\ud83dx"]),
    # Source: RFC 3629. Tails without a head, too few of them, long forms, surrogates, too high.
    *map(in_a_name, [b"\x80", b"\xc3", b"\xe6\x9d", b"\xf0\x9f\x9a", b"\xc0\x80", b"\xc1\xbf"]),
    *map(in_a_name, [b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]),
    *map(in_a_name, [b"\xf5\x80\x80\x80", b"\xff", b"\xe6\x9d\xc3", b"\xf0\x9f\x9a\x0a"]),
    *map(beside, [b"01", b"-", b"1.", b".5", b"+1", b"1e", b"1e+", b"NaN", b"truE", b"'a'", b""]),
    *map(beside, [b"{1:2}", b'{"a"}', b'{"a":}', b"[1,]", b"[1 2]", b"[" * 17 + b"]" * 17]),
    *map(beside, [b'"\xff"', rb'"\ud800"', rb'"\q"', b'"a', b"[", b'{"a":1']),
]


@pytest.mark.parametrize("body", DECLINED)
def test_what_is_out_of_the_ordinary_is_declined(body: bytes) -> None:
    assert read(body) is None


def test_one_body_that_is_declined_takes_all_with_it() -> None:
    good = b'{"data":[{"ad_id":"1"}]}'

    assert read(good, good) == [NULLS | {"ad_id": "1"}] * 2
    assert read(good, b"{}") is None


def test_rows_outlive_the_call_and_each_other() -> None:
    body = json.dumps({"data": [{"ad_id": str(n), "ad_name": "x"} for n in range(5000)]}).encode()
    rows = reader.read(ROW, [body])
    assert rows is not None
    ids = rows.field("ad_id")
    del rows, body

    assert ids.to_pylist() == [str(n) for n in range(5000)]


@pytest.mark.skipif(not COMPILER, reason="no C compiler")
def test_where_there_is_a_compiler_there_is_the_reader() -> None:
    assert reader.LIBRARY is not None
