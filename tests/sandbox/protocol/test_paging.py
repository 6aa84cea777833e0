import pytest

from fbgraph.sandbox.protocol.errors import RefusedError
from fbgraph.sandbox.protocol.paging import (
    EDGE_CURSORS,
    INSIGHTS_CURSORS,
    Cursor,
    Cursors,
    PageRequest,
    cut,
)


@pytest.mark.parametrize(
    ("index", "text"),
    [(0, "MAZDZD"), (1, "MQZDZD"), (23, "MjMZD"), (24, "MjQZD"), (99, "OTkZD"), (499, "NDk5")],
)
def test_cursors_of_insights_are_offsets(index: int, text: str) -> None:
    assert INSIGHTS_CURSORS.write(Cursor(index)) == text
    assert INSIGHTS_CURSORS.read(text) == Cursor(index)


@pytest.mark.parametrize("cursors", [EDGE_CURSORS, INSIGHTS_CURSORS])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_every_cursor_is_read_back(cursors: Cursors, step: int) -> None:
    for index in (0, 5, 42, 4999, 2_000_000):
        assert cursors.read(cursors.write(Cursor(index, step))) == Cursor(index, step)


@pytest.mark.parametrize("text", ["", "x", "MjM=", "MjM", "MAZD", "-1", "QVFIUx", "é", "ZDZD"])
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        INSIGHTS_CURSORS.read(text)

    assert caught.value.refusal.code == 2642


@pytest.mark.parametrize(
    ("requested", "start", "stop", "more"),
    [
        (PageRequest(10), 0, 10, True),
        (PageRequest(10, after=Cursor(9)), 10, 20, True),
        (PageRequest(10, after=Cursor(19)), 20, 25, False),
        (PageRequest(10, after=Cursor(24)), 25, 25, False),
        (PageRequest(10, after=Cursor(99)), 25, 25, False),
        (PageRequest(25), 0, 25, False),
        (PageRequest(10, before=Cursor(20)), 10, 20, True),
        (PageRequest(10, before=Cursor(3)), 0, 3, True),
    ],
)
def test_a_list_of_25_is_cut_where_requested(
    requested: PageRequest,
    start: int,
    stop: int,
    more: bool,  # noqa: FBT001  a fact of the table
) -> None:
    where = cut(requested, 25)

    assert (where.start, where.stop, where.more) == (start, stop, more)
