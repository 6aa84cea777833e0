"""Pages of the last days, kept next to the published file.

<root>/overview.html              the newest
<root>/overviews/2026-11-29.html  the last one that was made on that day (UTC)
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import warehouse
from pipelines.overview.page import overview_of
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    from pipelines.overview.page import OverviewPage
    from pipelines.overview.window import Window

__all__ = ["KEPT_DAYS", "keep_overview", "outdated", "write_page"]

#: The newest page, and where those of earlier days are.
NEWEST_PAGE: Final = "overview.html"
EARLIER: Final = "overviews"

#: Days whose pages are kept: five weeks, so that the page of any day of a month is there when the
#: month is looked at.
KEPT_DAYS: Final = 35

_PAGE: Final = re.compile(r"(\d{4}-\d\d-\d\d)\.html")


def keep_overview(
    url: str | Path, now: datetime, chosen: Window | None = None
) -> tuple[Path, OverviewPage]:
    """Make the page of the published tables, keep it for its day, and remove outdated ones. Returns
    where the newest is. `chosen` as in `overview_of`. Raises WarehouseError and OSError.
    """
    lake = Lake(url)
    with warehouse.open(url) as opened:
        made = overview_of(opened, lake.store.read, now, chosen)
    folder = lake.root / EARLIER
    folder.mkdir(exist_ok=True)
    write_page(folder / f"{now.date()}.html", made)
    newest = lake.root / NEWEST_PAGE
    write_page(newest, made)
    for name in outdated((path.name for path in folder.iterdir()), now.date()):
        (folder / name).unlink(missing_ok=True)
    return newest, made


def outdated(names: Iterable[str], today: date) -> Collection[str]:
    """Files of pages that are older than they are kept; what is not a page stays."""
    first = today - timedelta(days=KEPT_DAYS - 1)
    dated = {name: match[1] for name in names if (match := _PAGE.fullmatch(name))}
    return {name for name, day in dated.items() if day < first.isoformat()}


def write_page(path: Path, made: OverviewPage) -> None:
    """Replace a file whole: a browser may be reading it. Raises OSError."""
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_text(made.html, encoding="utf-8")
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
