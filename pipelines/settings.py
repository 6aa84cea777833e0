"""Settings: read from the environment, and from nowhere else.

No Dagster here, so that the commands that need none start without it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fbgraph import GraphClient, act_id
from fbgraph.catalog.versions import why_not
from fbgraph.errors import RequestError, VersionError
from fbgraph.http.transport import is_here
from pipelines.errors import ConfigError
from pipelines.state.cooldowns import cooldowns_of
from pipelines.state.origin import refused
from pipelines.variables import DAGSTER_URL, REPORTS_FOLDER, VARIABLES, WATCHED
from warehouse.decode.hours import INTRADAY_DELAY, zone_named
from warehouse.errors import UnknownZoneError, WarehouseError
from warehouse.published.ducklake.destination import DESTINATION_VARIABLE, destination_of
from warehouse.storage.url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from warehouse.published.ducklake.destination import Destination
    from warehouse.storage.store import Store

__all__ = [
    "FIRST_DAY",
    "OWNER",
    "Settings",
    "intraday_minutes",
    "owners_of",
    "reports_folder",
    "settings_of",
    "store_of",
    "wrong_settings",
]


#: Meta keeps 37 months; requests for older days fail with code 3018. Fixed, so that the grid does
#: not shift.
FIRST_DAY: Final = date(2023, 10, 1)

#: Whom Dagster takes for an owner.
OWNER: Final = re.compile(r"team:\S+|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

_MINUTES: Final = "a whole number of minutes"

#: Variable → what it is, the most digits that it is written with, and what it may be.
_RANGES: Final = {
    "FB_ACCOUNTS_PER_RUN": ("a number of accounts", 5, range(1, 10_001)),
    # Meta refreshes insights about every 15 minutes, and a day that is looked at less than six
    # times is better left to the daily refresh.
    "FB_INTRADAY_MINUTES": (_MINUTES, 4, range(15, 241)),
    # Longer than a day, and no hour of an open day is whole.
    "FB_INTRADAY_DELAY_MINUTES": (_MINUTES, 4, range(1441)),
}

_DIGEST: Final = re.compile(r"([01]?[0-9]|2[0-3])(?: +(\S+))?")

_HOW_TO_GET_ONE: Final = (
    "FB_ACCESS_TOKEN is not set. Create a token with the scope ads_read, preferably for a system"
    " user: business.facebook.com > Settings > System users > Generate token. Put it in the"
    " environment or in .env. Without one, `fbinsights demo` shows everything on made-up data."
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment, checked."""

    access_token: str = field(repr=False)
    app_secret: str | None = field(repr=False)
    graph_url: str
    api_version: str
    account_ids: Sequence[str]  # digits; empty means all that the token sees
    warehouse_url: str
    dagster_url: str = DAGSTER_URL
    alert_webhook: str | None = field(default=None, repr=False)
    allow_http: bool = False
    history_since: date | None = None  # None: what the lake keeps
    owners: Sequence[str] = ()
    media: bool = True
    accounts_per_run: int = 50
    watched: Sequence[str] = WATCHED
    digest: tuple[int, str] | None = None  # hour and zone; None: not sent
    intraday_minutes: int = 60
    intraday_delay: timedelta = INTRADAY_DELAY
    destination: Destination | None = None  # of the published tables, besides warehouse.duckdb

    def open_graph(
        self,
        *,
        is_shared: bool = True,
        today: date | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> GraphClient:
        """A client for these settings.

        Raises ConfigError without a token, VersionError for an API version that is unknown or has
        ended by `today` (by default this machine's, in UTC). `is_shared`: what it learns about
        limits is shared with other processes of the same warehouse. `sleep`: how it waits. Raises
        WarehouseError if the warehouse cannot be a folder, and ConfigError if the lake holds data
        from another Graph API.
        """
        if reason := why_not(self.api_version, today or datetime.now(UTC).date()):
            raise VersionError(reason)
        if not self.access_token:
            raise ConfigError(_HOW_TO_GET_ONE)
        store = open_store(self.warehouse_url) if is_shared else None
        if store and (why := refused(store, self.graph_url)):
            raise ConfigError(why)
        return GraphClient(
            self.access_token,
            app_secret=self.app_secret,
            base_url=self.graph_url,
            version=self.api_version,
            allow_http=self.allow_http,
            cooldowns=cooldowns_of(store, time.time) if store else None,
            sleep=sleep,
        )


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Check the environment. Raises ConfigError naming the variable. A missing token and a version
    that has ended are reported later, when Graph is opened, because much can be done without Graph.
    """
    value = _values(environ)
    if wrong := [*_wrong(value)]:
        raise ConfigError("\n".join(wrong))
    return Settings(
        access_token=value["FB_ACCESS_TOKEN"],
        app_secret=value["FB_APP_SECRET"] or None,
        graph_url=value["FB_GRAPH_URL"],
        api_version=value["FB_API_VERSION"],
        account_ids=_account_ids(value["FB_ACCOUNT_IDS"]),
        warehouse_url=value["WAREHOUSE_URL"],
        dagster_url=value["FB_DAGSTER_URL"],
        alert_webhook=value["FB_ALERT_WEBHOOK"],
        allow_http=value["FB_ALLOW_HTTP"] == "1",
        history_since=_day(value["FB_HISTORY_SINCE"]),
        owners=_owners(value["FB_OWNERS"]),
        media=value["FB_MEDIA"] == "1",
        accounts_per_run=int(value["FB_ACCOUNTS_PER_RUN"]),
        watched=_names(value["FB_WATCH"]),
        digest=_digest(value["FB_DIGEST_HOUR"]),
        intraday_minutes=int(value["FB_INTRADAY_MINUTES"]),
        intraday_delay=timedelta(minutes=int(value["FB_INTRADAY_DELAY_MINUTES"])),
        destination=destination_of(value[DESTINATION_VARIABLE]),
    )


def store_of(environ: Mapping[str, str]) -> Store | None:
    """The lake's files; None if settings are wrong, which is reported where they are needed."""
    try:
        return open_store(settings_of(environ).warehouse_url)
    except (ConfigError, WarehouseError):
        return None


def owners_of(environ: Mapping[str, str]) -> Sequence[str]:
    """Those of FB_OWNERS that Dagster takes: the check of settings reports the others."""
    return [owner for owner in _owners(_values(environ)["FB_OWNERS"]) if OWNER.fullmatch(owner)]


def intraday_minutes(environ: Mapping[str, str]) -> int:
    """How often today is loaded, for a schedule that must be there whatever is wrong with the
    settings: that is reported where the others are needed.
    """
    try:
        return settings_of(environ).intraday_minutes
    except ConfigError:
        return int(_values({})["FB_INTRADAY_MINUTES"])


def reports_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of users' own reports; None if there is none. Raises ConfigError with everything
    that is wrong with the settings if FB_REPORTS is not a folder.
    """
    value = _values(environ)
    folder = Path(value["FB_REPORTS"] or REPORTS_FOLDER).expanduser()
    if folder.is_dir():
        return folder
    if value["FB_REPORTS"]:
        raise ConfigError("\n".join(_wrong(value)))
    return None


def wrong_settings(environ: Mapping[str, str]) -> Sequence[str]:
    """Everything for which `settings_of` raises, and a lake that cannot be at the given place."""
    value = _values(environ)
    wrong = [*_wrong(value)]
    try:
        open_store(value["WAREHOUSE_URL"])
    except WarehouseError as error:
        wrong.append(str(error))
    return wrong


def _values(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {v.name: environ.get(v.name, "").strip() or v.default or "" for v in VARIABLES}


def _wrong(value: Mapping[str, str]) -> Iterator[str]:
    yield from _wrong_address(value)
    if value["FB_ALLOW_HTTP"] not in {"", "0", "1"}:
        yield f"FB_ALLOW_HTTP must be 1 or unset, not {value['FB_ALLOW_HTTP']!r}."
    if value["FB_MEDIA"] not in {"0", "1"}:
        yield f"FB_MEDIA must be 0 or 1, not {value['FB_MEDIA']!r}."
    for name, (what, digits, allowed) in _RANGES.items():
        is_number = re.fullmatch(f"[0-9]{{1,{digits}}}", value[name])
        if not is_number or int(value[name]) not in allowed:
            yield f"{name} must be {what} from {allowed[0]} to {allowed[-1]}, not {value[name]!r}."
    if not re.fullmatch(r"v[0-9]+\.[0-9]+", value["FB_API_VERSION"]):
        yield f"FB_API_VERSION is not a version: {value['FB_API_VERSION']!r}; write it like v26.0."
    yield from _wrong_accounts(value["FB_ACCOUNT_IDS"])
    if value["FB_REPORTS"] and not Path(value["FB_REPORTS"]).expanduser().is_dir():
        yield (
            f"FB_REPORTS is not a folder: {value['FB_REPORTS']!r}. Set it to the folder of your"
            " reports, or unset it."
        )
    yield from _wrong_destination(value)
    yield from _wrong_of_pages(value)


def _wrong_accounts(value: str) -> Iterator[str]:
    try:
        if value and not _account_ids(value):
            yield (
                f"FB_ACCOUNT_IDS names no ad account: {value!r}. List ids with commas between them,"
                " or unset it to load all accounts that the token sees."
            )
    except RequestError as error:
        yield f"FB_ACCOUNT_IDS: {error}"


def _wrong_destination(value: Mapping[str, str]) -> Iterator[str]:
    try:
        destination_of(value[DESTINATION_VARIABLE])
    except WarehouseError as error:
        yield f"{error}."


def _wrong_address(value: Mapping[str, str]) -> Iterator[str]:
    """What is about FB_GRAPH_URL."""
    if not re.fullmatch(r"https?://[^/\s?#]+[^\s?#]*", value["FB_GRAPH_URL"]):
        yield f"FB_GRAPH_URL is not an http(s) address: {value['FB_GRAPH_URL']!r}."
    elif re.search(r"/v[0-9.]+/?$", value["FB_GRAPH_URL"]):
        yield "FB_GRAPH_URL ends in a version; that goes into FB_API_VERSION."
    elif (
        (server := urlsplit(value["FB_GRAPH_URL"])).scheme == "http"
        and not is_here(server.hostname or "")
        and value["FB_ALLOW_HTTP"] != "1"
    ):
        yield (
            f"FB_GRAPH_URL is not https: the token would go to {server.netloc} in clear. Use https"
            " or, if you trust the network up to there, set FB_ALLOW_HTTP=1."
        )


def _wrong_of_pages(value: Mapping[str, str]) -> Iterator[str]:
    """What is about Dagster's pages and alerts."""
    if value["FB_HISTORY_SINCE"] and (_day(value["FB_HISTORY_SINCE"]) or date.min) < FIRST_DAY:
        yield (
            f"FB_HISTORY_SINCE must be a day like 2026-11-21, {FIRST_DAY} at the earliest because"
            f" Meta keeps 37 months, not {value['FB_HISTORY_SINCE']!r}."
        )
    for owner in _owners(value["FB_OWNERS"]):
        if not OWNER.fullmatch(owner):
            yield (
                f"FB_OWNERS: {owner!r} is not an owner: expected an e-mail address, or team:"
                " followed by a name."
            )
    yield from _wrong_of_today(value)
    if not _is_address(value["FB_DAGSTER_URL"]):
        yield f"FB_DAGSTER_URL is not an http(s) address: {value['FB_DAGSTER_URL']!r}."
    if value["FB_ALERT_WEBHOOK"] and not _is_address(value["FB_ALERT_WEBHOOK"]):
        yield "FB_ALERT_WEBHOOK is not an http(s) address."  # not shown: it is a secret


def _wrong_of_today(value: Mapping[str, str]) -> Iterator[str]:
    """What is about alerts on today."""
    known = ", ".join(WATCHED)
    for name in _owners(value["FB_WATCH"]) or [value["FB_WATCH"]]:
        if name not in WATCHED and value["FB_WATCH"] != "none":
            yield f"FB_WATCH: {name!r} is not watched; expected some of {known}, or none."
    try:
        _digest(value["FB_DIGEST_HOUR"])
    except (ValueError, UnknownZoneError):
        yield (
            f"FB_DIGEST_HOUR must be an hour from 0 to 23, and a time zone if it is not in UTC, as"
            f" in '8 Europe/Berlin', not {value['FB_DIGEST_HOUR']!r}."
        )


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"https?://[^/\s?#]+\S*", text))


def _day(text: str) -> date | None:
    """None for what is not a day. Python reads 20261121 and 2026-W47-6 too."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _names(text: str) -> Sequence[str]:
    """What is reported about today; () for nothing."""
    return () if text == "none" else _owners(text)


def _digest(text: str) -> tuple[int, str] | None:
    """Hour and zone of the digest; None without one. Raises UnknownZoneError and ValueError."""
    if not text:
        return None
    found = _DIGEST.fullmatch(text)
    if not found:
        raise ValueError(text)
    zone = found[2] or "UTC"
    zone_named(zone)
    return int(found[1]), zone


def _owners(text: str) -> Sequence[str]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _account_ids(text: str) -> Sequence[str]:
    """Digits. Raises RequestError for what is not an id."""
    found = [act_id(part.strip()) for part in text.split(",") if part.strip()]
    return tuple(key.removeprefix("act_") for key in dict.fromkeys(found))
