"""A lake remembers where its data comes from, and takes nothing from elsewhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from warehouse.errors import WarehouseError
from warehouse.lake.identity import (
    KEY,
    THIS_MACHINE,
    Identity,
    claim,
    host_of,
    identity_of,
    refusal,
)
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.storage.store import Store

META = "graph.facebook.com"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://graph.facebook.com", META),
        ("https://GRAPH.facebook.com.:443/", META),
        ("https://meta-proxy.example.com:8443/outgoing", "meta-proxy.example.com"),
        ("http://10.0.0.5:8810", "10.0.0.5"),
        ("http://localhost.example.com", "localhost.example.com"),
        *(
            (f"http://{here}", THIS_MACHINE)
            for here in (
                *("127.0.0.1", "127.0.0.1:8810", "127.1.2.3", "localhost:1", "LOCALHOST."),
                *("[::1]:8810", "[::ffff:127.0.0.1]", "0.0.0.0:80", "sandbox.localhost"),
            )
        ),
    ],
)
def test_names_of_this_machine_count_as_one_and_ports_do_not_count(url: str, host: str) -> None:
    assert host_of(url) == host


def test_a_lake_takes_what_it_has_and_a_new_one_takes_anything() -> None:
    identity = Identity("a", (META, "meta-proxy.example.com"))

    assert not refusal(None, "elsewhere", "/lake")
    assert not refusal(identity, META, "/lake")
    assert not refusal(identity, "meta-proxy.example.com", "/lake")


@pytest.mark.parametrize(
    ("known", "source", "may_be_added"),
    [
        (META, "meta-proxy.example.com", True),
        (META, "the sandbox with seed 1", False),
        ("the sandbox with seed 1", META, False),
        ("the sandbox with seed 1", "the sandbox with seed 2", False),
        ("the sandbox with seed 1", THIS_MACHINE, False),
    ],
)
def test_a_refusal_names_both_sources_and_what_to_do(
    known: str, source: str, *, may_be_added: bool
) -> None:
    why = refusal(Identity("a", (known,)), source, "/lake/")

    assert known in why
    assert source in why
    assert "set WAREHOUSE_URL to another folder" in why
    assert (f'add "{source}" to "graph" in /lake/.lake.json' in why) == may_be_added


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(tmp_path / "lake")
    s3: S3 = request.getfixturevalue("s3")
    return open_store(f"s3://{s3.new_bucket()}/lake")


def test_of_many_that_come_first_at_once_one_decides(store: Store) -> None:
    assert identity_of(store) is None
    names = [f"graph{n}.example.com" for n in range(8)]
    barrier = threading.Barrier(len(names))
    found: list[Identity] = []

    def first(name: str) -> None:
        barrier.wait()
        found.append(claim(store, name, lambda: name))

    threads = [threading.Thread(target=first, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == len(names)
    assert {*found} == {identity_of(store)}
    assert found[0].graph == (found[0].lake_id,)


def test_people_may_add_names_as_they_write_them(store: Store) -> None:
    store.note(
        KEY, '{"lake_id": "a", "graph": ["graph.facebook.com", "HTTPS://Proxy.example:99/"]}'
    )

    assert identity_of(store) == Identity("a", (META, "proxy.example"))
    assert claim(store, "other.example", lambda: "b") == Identity("a", (META, "proxy.example"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"x"', '{"lake_id": "a"}', '{"lake_id": "a", "graph": []}'),
        *('{"lake_id": 5, "graph": ["x"]}', '{"lake_id": "a", "graph": [null]}', "\xff"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    store = open_store(tmp_path)
    (tmp_path / KEY).write_bytes(text.encode("latin-1"))

    with pytest.raises(WarehouseError, match=r"\.lake\.json is damaged.*remove it"):
        claim(store, META, lambda: "new")
    assert (tmp_path / KEY).read_bytes() == text.encode("latin-1")
