"""Pages with anything wrong, given to our reader in C: its memory is sound, and what it takes loads
as it loads without it.

A run of the tests takes a minute's worth; `make fuzz` takes FUZZ times as many, from another seed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.decode.casts import graph_row
from warehouse.decode.native import reader
from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.schema.columns import HOURLY
from warehouse.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NATIVE = Path(__file__).resolve().parents[3] / "warehouse" / "decode" / "native"
TABLE = TABLES["insights_hourly"]
DAY = date(2026, 11, 21)
ACCOUNT = Account("111122223333444", "Europe/Berlin", "EUR")
COMPILER = shutil.which("gcc")

#: How many times the usual number of pages, and what the dice begin with.
TIMES = int(os.environ.get("FUZZ", "1"))
SEED = int(os.environ.get("FUZZ_SEED", "20261124"))

NAMES = ["Bike", "", "null", "東京 🚲", 'a "b" \\ / \t', "\x7f\x00\u2028", "x" * 100, "é" * 33]

#: Of these the program in C reads texts and lists.
FIELDS = {"ad_id", "ad_name", "actions"}


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
    random = Random(SEED)  # noqa: S311  seeded, no secret
    bodies = (page(random) for _ in range(2500 * TIMES))
    mutants = (mutant(random, body) if random.random() < 0.8 else body for body in bodies)
    taken = 0
    for body in mutants:
        if reader.read(graph_row(TABLE), [body]) is None:
            continue
        taken += 1
        found = decoded(body)
        with monkeypatch.context() as without:
            without.setattr(reader, "LIBRARY", None)
            assert found == decoded(body), body

    assert 0.28 < taken / (2500 * TIMES) < 0.48


def decoded(body: bytes) -> tuple[Any, ...]:
    found = decode(TABLE, [body], ACCOUNT, [DAY])
    return found.rows.to_pylist(), found.rejects, found.unknown_fields


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
    dice, body = Random(SEED), tmp_path / "page.json"  # noqa: S311  seeded, no secret
    rows = [{key: value for key, value in row(dice).items() if key in FIELDS} for _ in range(9)]
    body.write_text(json.dumps({"data": rows, "paging": {"cursors": {"after": "x"}, "n": -1.5}}))

    told = run(compile_checked(NATIVE / "fuzz.c"), body, str(100_000 * TIMES), str(SEED))

    assert (told.returncode, told.stderr) == (0, "")
    assert int(told.stdout) > 10_000 * TIMES  # of the mutants were taken


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  ours
