"""Our reader in C takes pages just as Arrow's does, or declines them; its memory is sound."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from warehouse.decode.columns import wire_row
from warehouse.decode.native import reader
from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.schema.tables import HOURLY, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NATIVE = Path(__file__).resolve().parents[3] / "warehouse" / "decode" / "native"
TABLE = TABLES["insights_hourly"]
DAY = date(2026, 11, 21)
ACCOUNT = Account("111122223333444", "Europe/Berlin", "EUR")
COMPILER = shutil.which("gcc")

ROW = pa.struct(
    [
        ("ad_id", pa.string()),
        ("ad_name", pa.string()),
        ("actions", pa.list_(pa.struct([("action_type", pa.string()), ("value", pa.string())]))),
    ]
)

NAMES = ["Bike", "", "null", "東京 🚲", 'a "b" \\ / \t', "\x7f\x00\u2028", "x" * 100, "é" * 33]

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


def row(random: Random) -> Mapping[str, Any]:
    """A row as Graph may send it, now and then with its keys in another order."""
    actions = [
        {"action_type": random.choice(NAMES), "value": str(random.randrange(100))}
        for _ in range(random.randrange(4))
    ]
    values = {
        "account_id": ACCOUNT.account_id,
        "ad_id": str(random.randrange(10**17)),
        "ad_name": random.choice([*NAMES, None]),
        "impressions": str(random.randrange(10**6)),
        "spend": f"{random.randrange(10**6) / 100:.2f}",
        "actions": random.choice([actions, None]),
        "date_start": str(DAY),
        "date_stop": str(DAY),
        HOURLY: random.choice(HOUR_LABELS),
    }
    keys = random.sample(list(values), len(values)) if random.random() < 0.2 else list(values)
    return {key: values[key] for key in keys}


def page(random: Random) -> bytes:
    body = {
        "data": [row(random) for _ in range(random.randrange(5))],
        "paging": {"cursors": {"after": "MQZDZD"}, "next": "https://graph.facebook.com/v25.0/…"},
        "summary": {"total_count": 3, "share": -0.5e-2, "is_whole": True, "none": [None, [], {}]},
    }
    indent = random.choice([None, None, 1])
    return json.dumps(body, ensure_ascii=random.random() < 0.5, indent=indent).encode()


PIECES = [b'"', b"\\", b"\\u00", b"{", b"]", b",", b":", b" ", b"\n", b"0", b"-1", b"null", b"\xc3"]


def mutant(random: Random, body: bytes) -> bytes:
    """Leave out, say twice, cut off, put in or write over something."""
    at = random.randrange(len(body))
    some = body[at : at + random.randrange(1, 12)]
    piece = random.choice([*PIECES, bytes([random.randrange(256)])])
    return random.choice(
        [
            body[:at] + body[at + len(some) :],
            body[:at] + some + body[at:],
            body[:at],
            body[:at] + piece + body[at:],
            body[:at] + piece + body[at + len(piece) :],
        ]
    )


def test_what_is_taken_loads_as_it_loads_without(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(20261124)  # noqa: S311  seeded, no secret
    bodies = [page(random) for _ in range(2500)]
    bodies = [mutant(random, body) if random.random() < 0.8 else body for body in bodies]
    taken = [body for body in bodies if reader.read(wire_row(TABLE), [body]) is not None]
    found = [decoded(body) for body in taken]
    monkeypatch.setattr(reader, "LIBRARY", None)

    assert found == [decoded(body) for body in taken]
    assert 700 < len(taken) < 1200


def decoded(body: bytes) -> tuple[Any, ...]:
    found = decode(TABLE, [body], ACCOUNT, [DAY])
    return found.rows.to_pylist(), found.rejects, found.unknown_fields


@pytest.mark.skipif(not COMPILER, reason="no C compiler")
def test_where_there_is_a_compiler_there_is_the_reader() -> None:
    assert reader.LIBRARY is not None


@pytest.fixture(scope="module")
def compile_checked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Compiles a program that aborts when it touches memory that is not its own."""

    def compiled(source: Path) -> Path:
        program = tmp_path_factory.mktemp("checked") / source.stem
        options = "-std=c11 -O1 -Wall -Wextra -Wconversion -Werror -fno-sanitize-recover".split()
        done = run(COMPILER or "", *options, "-fsanitize=address,undefined", source, "-o", program)
        assert not done.returncode, done.stderr
        return program

    nothing = tmp_path_factory.mktemp("nothing") / "nothing.c"
    nothing.write_text("int main(void) { return 0; }")
    try:
        works = not run(compiled(nothing)).returncode
    except (AssertionError, OSError):
        works = False
    if not works:
        pytest.skip("no C compiler that checks memory")
    return compiled


def test_the_reader_touches_no_memory_but_its_own_and_forgets_none(
    compile_checked: Callable[[Path], Path], tmp_path: Path
) -> None:
    dice, body = Random(1), tmp_path / "page.json"  # noqa: S311  seeded, no secret
    rows = [{key: value for key, value in row(dice).items() if key in NULLS} for _ in range(9)]
    body.write_text(json.dumps({"data": rows, "paging": {"cursors": {"after": "x"}, "n": -1.5}}))

    told = run(compile_checked(NATIVE / "fuzz.c"), body, "100000")

    assert (told.returncode, told.stderr) == (0, "")
    assert int(told.stdout) > 10_000  # of the mutants were taken


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  ours
