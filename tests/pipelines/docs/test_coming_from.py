"""docs/coming-from.md: each name on the right is one of ours; what it says of the SDK, of views and
of reasons is so.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipelines.comparing import reasons
from pipelines.project.ready_reports import ready_reports
from pipelines.project.ready_tables import ready_tables
from pipelines.reports.catalog import read_reports
from pipelines.reports.folders import READY
from tests.reports import KNOWN
from tests.test_pages import between
from warehouse.schema.views.fivetran import fivetran_views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE: Final = (Path(__file__).parents[3] / "docs" / "coming-from.md").read_text(encoding="utf-8")

#: A cell that says why something is not here.
NOT_LOADED: Final = "not loaded: "

_CODE: Final = re.compile(r"`([^`]+)`")


def sections() -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
    """The text of each section of the page, and the cells of its marked table."""
    for section in PAGE.split("\n## ")[1:]:
        for marked in re.findall(r"<!-- ours -->\n(.*?)\n<!-- /ours -->", section, re.DOTALL):
            rows = [line.strip("| ").split(" | ") for line in marked.splitlines()[2:]]
            yield section, rows


def names() -> set[str]:
    """What there is: tables, views, what `add` has ready, and columns after the name of theirs."""
    listed = {
        name: [column.name for column in one.columns]
        for kind in (KNOWN.catalog.tables, KNOWN.catalog.views)
        for name, one in kind.items()
    }
    columns = {f"{name}.{column}" for name, ours in listed.items() for column in ours}
    return columns | listed.keys() | ready_reports().keys() | ready_tables().keys()


def test_every_name_of_ours_exists_and_nothing_is_left_open() -> None:
    ours, seen, wrong = names(), 0, []
    for _, rows in sections():
        for row in rows:
            here = row[-1]
            found = [] if here.startswith(NOT_LOADED) else _CODE.findall(here)
            seen += len(found)
            wrong += [name for name in found if name not in ours]
            wrong += [] if found or len(here) > len(NOT_LOADED) else [" | ".join(row)]

    assert wrong == []
    assert seen > 150


def test_what_the_sdk_is_said_to_have_are_fields_of_its_classes() -> None:
    checked, wrong = 0, []
    for section, rows in sections():
        named = re.search(r"SDK `(\w+)`", section)
        if named is None:
            continue
        module = importlib.import_module(f"facebook_business.adobjects.{named[1].lower()}")
        field = getattr(module, named[1]).Field
        fields = {value for name, value in vars(field).items() if not name.startswith("_")}
        for left, who, _ in rows:
            mine = "SDK" in who.split(", ")
            theirs = _CODE.findall(left)
            checked += len(theirs)
            wrong += [f"{named[1]}.{name}" for name in theirs if (name in fields) != mine]

    assert wrong == []
    assert checked > 200


def test_the_views_for_fivetran_are_those_that_there_are_and_are_made_of_ours() -> None:
    catalog = read_reports(sorted(READY.glob("*.yaml"))).catalog
    views = {view.name for view in fivetran_views(catalog.tables, catalog.views)}
    plain = {re.sub("_action(s|_values)$", "", view) for view in views}
    rows = between(PAGE, "fivetran")
    shown = {one for left, _ in rows for one in _CODE.findall(left) if one[0] != "_"}
    ours = {one for _, right in rows for one in _CODE.findall(right) if one[0] != "…"}

    assert ours - names() == set()
    assert plain <= shown <= views


def test_every_reason_of_a_comparison_is_explained_and_no_other() -> None:
    source = Path(reasons.__file__).read_text(encoding="utf-8")
    kinds = {*reasons.FACTS, "purchases", *re.findall(r'Reason\("(\w+)"', source)}
    table = PAGE.split("| why | what it says |")[1].partition("\n\n")[0]
    shown = {kind for row in table.splitlines()[2:] for kind in _CODE.findall(row.split("|")[1])}

    assert shown == kinds
