"""A lake remembers where its data comes from, and takes nothing from elsewhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from warehouse.errors import WarehouseError
from warehouse.lake.identity import KEY, Identity, claim, identity_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.s3 import S3
    from warehouse.storage.store import Store

META = "graph.facebook.com"


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


def test_names_that_people_add_are_kept_as_they_write_them(store: Store) -> None:
    store.note(
        KEY, '{"lake_id": "a", "graph": ["graph.facebook.com", "HTTPS://Proxy.example:99/"]}'
    )

    assert identity_of(store) == Identity("a", (META, "HTTPS://Proxy.example:99/"))
    assert claim(store, "other.example", lambda: "b") == Identity(
        "a", (META, "HTTPS://Proxy.example:99/")
    )


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

    with pytest.raises(WarehouseError, match=r"\.lake\.json is damaged.*remove the file"):
        claim(store, META, lambda: "new")
    assert (tmp_path / KEY).read_bytes() == text.encode("latin-1")
