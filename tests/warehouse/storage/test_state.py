"""Small state in a folder and a bucket: nobody sees half of a value or loses what others wrote."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from warehouse.storage.state import change, load, save

if TYPE_CHECKING:
    from warehouse.storage.store import Store

KEY = ".state/1/a.json"


def test_a_value_is_what_it_was_saved_as_and_the_last_one_stays(store: Store) -> None:
    save(store, KEY, {"name": "東京", "n": [1, None]})
    save(store, KEY, {"n": 2})

    assert load(store, KEY) == {"n": 2}
    assert [found.key for found in store.find(".state/*/*")] == [KEY]


def test_a_key_without_a_value_says_so(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        load(store, KEY)


@pytest.mark.parametrize("text", ["", "{", '{"a": ', "[" * 100_000, "nan?"])
def test_a_value_that_is_damaged_is_told_apart_from_none(store: Store, text: str) -> None:
    store.note(KEY, text)

    with pytest.raises(ValueError, match=r"."):
        load(store, KEY)


def test_a_reader_sees_an_old_value_or_a_new_one_and_no_half(store: Store) -> None:
    values: list[Any] = [{"text": letter * 100_000} for letter in "ab"]
    save(store, KEY, values[0])
    is_done = threading.Event()

    def read() -> int:
        times = 0
        while not is_done.is_set() or not times:
            assert load(store, KEY) in values
            times += 1
        return times

    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(read)
        for n in range(40):
            save(store, KEY, values[n % 2])
        is_done.set()

    assert reader.result()


def test_of_changes_at_once_none_is_lost(store: Store) -> None:
    save(store, KEY, 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: change(store, KEY, lambda: load(store, KEY) + 1), range(20)))

    assert load(store, KEY) == 20


def test_a_change_that_is_given_up_or_raises_leaves_the_value(store: Store) -> None:
    save(store, KEY, 1)

    change(store, KEY, lambda: None)
    with pytest.raises(ZeroDivisionError):
        change(store, KEY, lambda: 1 // 0)

    assert load(store, KEY) == 1


def test_what_a_writer_leaves_when_it_is_killed_is_no_value(store: Store) -> None:
    """Only a folder has a file that is not finished, and the next writer takes it over."""
    aside = store.root / ".staging" / "note.unfinished"
    aside.parent.mkdir(parents=True)
    aside.write_text('{"half')

    save(store, KEY, 1)

    assert load(store, KEY) == 1
    assert [found.key for found in store.find(".state/*/*")] == [KEY]
