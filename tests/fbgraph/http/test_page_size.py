from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.errors import Detail, TooMuchDataError
from fbgraph.http.paging import PageSize, shrinking

if TYPE_CHECKING:
    from fbgraph.http.paging import Page, Params


def pages(size: PageSize, works: int, count: int) -> list[int]:
    """Sizes asked for until so many pages have come, where more than `works` rows are refused."""
    asked = []
    came = 0
    while came < count:
        rows = size.rows
        asked.append(rows)
        if rows > works:
            size.refused(rows)
        else:
            size.worked(rows)
            came += 1
    return asked


def test_a_size_is_halved_until_it_works() -> None:
    assert pages(PageSize(5000), 700, 2) == [5000, 2500, 1250, 625, 625]


def test_it_grows_back_when_the_limit_is_gone() -> None:
    size = PageSize(1000)
    pages(size, 300, 1)

    asked = pages(size, 10_000, 40)

    assert (asked[0], asked[-1]) == (250, 1000)


def test_growing_back_in_vain_is_tried_less_and_less() -> None:
    size = PageSize(1000)

    asked = pages(size, 300, 200)

    refused = [at for at, rows in enumerate(asked) if rows > 300]
    gaps = [later - earlier for earlier, later in pairwise(refused[1:])]
    assert gaps == sorted(gaps)
    assert len(refused) < 10


def test_one_row_cannot_be_less() -> None:
    assert PageSize(1).refused(1) is False


def test_a_report_that_is_too_much_is_not_asked_for_in_smaller_pages() -> None:
    asked = []

    def fetch(params: Params) -> Page:
        asked.append(params["limit"])
        raise TooMuchDataError(Detail("Request timed out.", code=100, subcode=1504018))

    with pytest.raises(TooMuchDataError):
        shrinking(fetch, PageSize(500))({})

    assert asked == [500]


@given(most=st.integers(1, 5000), works=st.integers(1, 5000), count=st.integers(1, 60))
def test_a_size_never_leaves_its_bounds(most: int, works: int, count: int) -> None:
    asked = pages(PageSize(most), works, count)

    assert all(1 <= rows <= most for rows in asked)
