from collections.abc import Callable

from fbgraph.sandbox.insights import Report
from fbgraph.sandbox.state import Shelf


def making(made: list[str], name: str) -> Callable[[], Report]:
    def make() -> Report:
        made.append(name)
        return Report([b"x" * 1000], None)

    return make


def test_a_shelf_drops_what_was_unused_for_longest() -> None:
    made: list[str] = []
    shelf = Shelf(limit=2500)

    for name in ("a", "b", "a", "c", "a", "b"):
        shelf.get(name, making(made, name))

    assert made == ["a", "b", "c", "b"]


def test_a_shelf_keeps_the_newest_however_large() -> None:
    made: list[str] = []
    shelf = Shelf(limit=1)

    for name in ("a", "a", "b", "b"):
        shelf.get(name, making(made, name))

    assert made == ["a", "b"]
