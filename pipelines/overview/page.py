"""The page as one file: texts and pictures put into the template, with style, script and data
inside, so that it needs no network.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import jinja2

from pipelines.overview.account_words import words_of
from pipelines.overview.charts import columns_of
from pipelines.overview.grids import restated_grid, trust_grid
from pipelines.overview.reading import pages_of, why_nothing
from pipelines.overview.trust import Trust, bad_days, banner
from warehouse.errors import WarehouseError
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from pipelines.overview.reading import AccountPage
    from pipelines.overview.trust import BadDays, Banner
    from pipelines.overview.window import Window
    from warehouse.published.opened import Warehouse

__all__ = ["OverviewPage", "overview_of"]

#: Runs of bad days that are shown; the others are counted.
SHOWN: Final = 10

#: Bytes of a thumbnail, and of all of them, that a page may carry.
EMBEDDED_BYTES: Final = 24_000
EMBEDDED_BYTES_IN_ALL: Final = 480_000

#: What to do where no load was tried.
BEGIN: Final = (
    "Load something first: fbinsights demo, or fbinsights backfill --since DAY --until DAY."
)

#: Hours after which the newest load is said to be old.
STALE_HOURS: Final = 36


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """A page: its `html`, and what is said of it where it is written. `account_ids`: all that were
    to be shown, `number` of them with data.
    """

    html: str
    headline: str
    span: str
    number: int
    account_ids: Collection[str]


def overview_of(
    opened: Warehouse,
    read: Callable[[str], bytes],
    now: datetime,
    chosen: Window | None = None,
    *,
    account_ids: Collection[str] = (),
) -> OverviewPage:
    """The page of all accounts, or of these (digits). `read`: the content of a file of the lake;
    raises OSError if it cannot be read. `chosen`: these days instead of the last ones. Raises
    WarehouseError.
    """
    pages = pages_of(opened, now, chosen, account_ids)
    loaded = [page for page in pages if page.is_loaded]
    tried = [page for page in pages if page.was_tried] if loaded else []
    trusted = banner(
        ((page.name, page.currency, page.shown_trust) for page in tried),
        sum(len(page.without_results(page.window)) for page in loaded),
    )
    return OverviewPage(
        html=_html(pages, trusted, now, read, "" if loaded else why_nothing(opened)),
        headline=trusted.headline,
        span=_span(loaded),
        number=len(loaded),
        account_ids={page.account_id for page in pages},
    )


def _html(
    pages: Sequence[AccountPage],
    trusted: Banner,
    now: datetime,
    read: Callable[[str], bytes],
    nothing: str,
) -> str:
    loaded = [page for page in pages if page.is_loaded]
    tried = [page for page in pages if page.was_tried]
    pictures = _Pictures(read)
    accounts = [words_of(page, pictures.url) for page in loaded]
    found = [
        bad for page in tried for bad in bad_days(page.account_id, page.name, page.shown_trust)
    ]
    newest = max((page.newest for page in loaded if page.newest), default=None)
    given: dict[str, Any] = {
        "accounts": accounts,
        "banner": trusted,
        "bad": [_run(one) for one in found[:SHOWN]],
        "more_bad": _more(found[SHOWN:]),
        "made": _instant(now),
        "nothing": nothing or BEGIN,
        "span": _span(loaded),
        "stale": _stale(newest, now) or _behind(loaded),
        "subtitle": _subtitle(loaded, newest),
        "unloaded": _unloaded([page.name for page in pages if not page.is_loaded]),
        "tone_of": _tone_of,
    }
    if loaded:
        given |= {
            "restated": restated_grid(loaded),
            "trust": trust_grid(tried),
            "data": _json({page.account_id: columns_of(page) for page in loaded}),
            "specs": _json(json.loads(_asset("charts.json"))),
            "bundle": _script(_asset("vega.js")),
            "script": _asset("page.js"),
        }
    return _template().render(style=_asset("style.css"), **given)


def _asset(name: str) -> str:
    path = files("pipelines.overview").joinpath("assets", name)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WarehouseError(
            f"{path} is missing, which is a part of fbinsights. Install fbinsights again."
        ) from None


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_asset("page.html.j2"))


def _json(values: object) -> str:
    """JSON inside of an element: no name may end it."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _script(text: str) -> str:
    return text.replace("</script", "<\\/script")


class _Pictures:
    """Thumbnails as data URLs, as many as a page may carry."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._urls: dict[str, str] = {}
        self._left = EMBEDDED_BYTES_IN_ALL

    def url(self, path: str) -> str:
        """The data URL of a picture of the lake; "" if it cannot be read or is too large."""
        if path not in self._urls:
            self._urls[path] = self._made(path)
        return self._urls[path]

    def _made(self, path: str) -> str:
        kind = _MIME.get(path.rpartition(".")[2])
        if kind is None or not self._left:
            return ""
        try:
            content = self._read(path)
        except FileNotFoundError:
            return ""  # the number of the ad is shown instead
        except OSError:
            self._left = 0  # a bucket that is away: each picture would be waited for
            return ""
        if len(content) > min(EMBEDDED_BYTES, self._left):
            return ""
        self._left -= len(content)
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"


_MIME: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}


def _tone_of(share: float, meaning: str) -> str:
    if meaning == "plain":
        return "plain"
    return "better" if (share > 0) is (meaning == "more") else "worse"


def _run(one: BadDays) -> Mapping[str, str]:
    first, last = (f"{day.day} {day:%b}" for day in (one.first, one.last))
    return {
        "kind": str(one.trust),
        "tone": "doubtful" if one.trust is Trust.DIFFERS else "bad",
        "name": one.name,
        "days": first if one.first == one.last else f"{first} to {last}",
        "reason": one.reason,
        "command": one.command,
    }


def _more(others: Sequence[BadDays]) -> str:
    if not others:
        return ""
    days = sum((one.last - one.first).days + 1 for one in others)
    return f"And {counted(days, 'more day')}: fbinsights status lists all of them."


def _span(loaded: Sequence[AccountPage]) -> str:
    if not loaded:
        return "nothing loaded"
    return f"{min(p.window.since for p in loaded)} to {max(p.window.until for p in loaded)}"


def _subtitle(loaded: Sequence[AccountPage], newest: datetime | None) -> str:
    if not loaded or newest is None:
        return "Nothing has been loaded yet."
    days = max(len(page.window.days) for page in loaded)
    return (
        f"{counted(len(loaded), 'ad account')} · {_span(loaded)}, {counted(days, 'day')} of each"
        f" account's own calendar, against the {days} before · newest load {_instant(newest)}"
    )


def _stale(newest: datetime | None, now: datetime) -> str:
    if newest is None or (now - newest).total_seconds() < STALE_HOURS * 3600:
        return ""
    days = (now - newest).days
    return (
        f"Nothing has been loaded for {counted(days, 'day')} (since {_instant(newest)}). Run"
        " fbinsights refresh, or turn on the schedule daily_refresh."
    )


def _behind(loaded: Sequence[AccountPage]) -> str:
    last = max((page.window.until for page in loaded if page.is_behind), default=None)
    if last is None:
        return ""
    return (
        f"Nothing after {last.day} {last:%b %Y} has been loaded, so the days end there. Run"
        " fbinsights refresh, or turn on the schedule daily_refresh."
    )


def _unloaded(names: Sequence[str]) -> Sequence[str]:
    if not names:
        return []
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return [f"Not loaded at all: {', '.join(names[:SHOWN])}{more}."]


def _instant(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
