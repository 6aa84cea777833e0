"""The fast way and the careful way through a page give the same, whatever comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.decode.insights import ACCOUNT, DAY, TABLE, load, page, row
from tests.warehouse.malformed import MALFORMED
from warehouse.decode.casts import Expected, SuspectError, typed
from warehouse.decode.rows import as_body, judge_page
from warehouse.decode.values import HOUR_LABELS
from warehouse.schema.columns import HOURLY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXPECTED = Expected(TABLE, ACCOUNT, [DAY])

# The two ways agree on whatever comes: the careful one passes a row of texts exactly when the
# fast one takes it, and both then give the same table. Exponents are the careful one's alone.
messy = st.one_of(
    st.text("0123456789.-+eExX_, ", max_size=24),
    st.sampled_from([case.raw[1:-1] for case in MALFORMED if case.raw.startswith('"')]),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.integers().map(str),
    st.text(st.characters(exclude_categories=()), max_size=8),
)
entries = st.lists(
    st.fixed_dictionaries({}, optional={"action_type": messy, "value": messy}), max_size=2
)
cells = st.dictionaries(
    st.sampled_from([c.source for c in TABLE.columns if c.source and c.kind != "actions"]),
    messy,
    max_size=2,
)


@settings(max_examples=200, deadline=None)
@given(changes=cells, actions=st.none() | entries)
def test_the_careful_way_passes_what_the_fast_way_takes(
    changes: dict[str, str], actions: list[dict[str, str]] | None
) -> None:
    body = page(row(actions=actions, **changes))
    judged = judge_page(EXPECTED, body, 1)

    try:
        fast = typed(EXPECTED, [body])
    except SuspectError:
        assert judged.rejects or "e" in str([changes, actions]).lower()
        assert typed(EXPECTED, [as_body(judged.rows)])[0].num_rows == len(judged.rows)
    else:
        assert judged.rejects == []
        assert typed(EXPECTED, [as_body(judged.rows)])[0].equals(fast[0])


good_rows = st.builds(
    row,
    campaign_name=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    impressions=st.none() | st.integers(-(2**63), 2**63 - 1).map(str),
    spend=st.decimals(-999_999_999_999, 999_999_999_999, places=6).map(str),
    actions=st.none() | st.lists(st.builds(
        lambda value: {"action_type": "like", "value": value},
        st.decimals(0, 10**6, places=2).map(str),
    ), max_size=3),
    **{HOURLY: st.none() | st.sampled_from(HOUR_LABELS)},
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(pages=st.lists(st.lists(good_rows, max_size=4), min_size=1, max_size=3))
def test_good_pages_give_the_same_table_both_ways(
    pages: Sequence[Sequence[Mapping[str, Any]]],
) -> None:
    good = [page(*rows) for rows in pages]
    # A row that is rejected at the end of each page sends the page the careful way.
    spoilt = [page(*rows, row(clicks="x")) for rows in pages]

    fast, careful = load(*good), load(*spoilt)

    assert len(fast.rejects) == 0
    assert len(careful.rejects) == len(pages)
    assert careful.rows.equals(fast.rows)
