from collections.abc import Callable, Iterator

from fbgraph.sandbox.insights.rows import Report
from fbgraph.sandbox.state.shelf import Shelf


def making(made: list[str], name: str) -> Callable[[], Report]:
    def make() -> Report:
        made.append(name)
        report = Report(iter([b"x" * 1000]))
        report.upto(1)
        return report

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


def test_a_shelf_holds_so_many_reports() -> None:
    made: list[str] = []
    shelf = Shelf(most=2)

    for name in ("a", "b", "c", "a"):
        shelf.get(name, making(made, name))

    assert made == ["a", "b", "c", "a"]


def test_rows_are_written_when_they_are_needed() -> None:
    written = []

    def rows() -> Iterator[bytes]:
        for number in range(5):
            written.append(number)
            yield b"%d" % number

    report = Report(rows())

    assert list(report.upto(2)) == [b"0", b"1"]
    assert written == [0, 1]
    assert len(report.upto(9)) == len(report.upto(9)) == 5
