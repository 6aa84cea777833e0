"""The environment variables that settings are read from, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from fbgraph import API_VERSION, GRAPH_URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "DAGSTER_URL",
    "REPORTS_FOLDER",
    "VARIABLES",
    "WATCHED",
    "Variable",
    "unknown_settings",
    "unknown_text",
]

#: The folder of users' own reports unless FB_REPORTS names another.
REPORTS_FOLDER: Final = "reports"

#: What may be reported about today (`pipelines/watching/rules.py`).
WATCHED: Final = ("far_ahead", "stopped", "over_budget", "late_data")

#: Where `dagster dev` serves its pages.
DAGSTER_URL: Final = "http://127.0.0.1:3000"


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. `meaning` is what a `.env` says above it; `example` is a value for
    one that has no default.
    """

    name: str
    meaning: str
    default: str | None = None
    example: str = ""


#: All variables. `.env.example`, and the `.env` of a new project folder, are made from this table;
#: the README shows it too, and tests hold both to it.
VARIABLES: Final[Sequence[Variable]] = (
    Variable(
        "FB_ACCESS_TOKEN",
        "Token of a system user with ads_read; required. Sent as an Authorization header and"
        " nowhere else.",
    ),
    Variable("FB_APP_SECRET", "When set, every request carries appsecret_proof."),
    Variable("FB_GRAPH_URL", "Where Graph is; the sandbox prints its own.", GRAPH_URL),
    Variable(
        "FB_ALLOW_HTTP",
        "1: the token may go in clear, by http://, to another machine. Refused by default.",
        example="1",
    ),
    Variable(
        "FB_API_VERSION",
        "Pinned version of the Marketing API. A version that has ended is refused:"
        " docs/graph-api.md.",
        API_VERSION,
    ),
    Variable(
        "FB_ACCOUNT_IDS",
        "Only these ad accounts, comma list, with or without act_; default: all that the token"
        " sees.",
    ),
    Variable(
        "FB_ALERT_WEBHOOK",
        "Where alerts go: an incoming webhook of Slack, or of anything that takes the same JSON. A"
        " secret.",
    ),
    Variable(
        "FB_WATCH",
        "What is reported about today while its schedule runs, comma list: far_ahead, stopped,"
        " over_budget, late_data; none: nothing. docs/operations.md.",
        ",".join(WATCHED),
    ),
    Variable(
        "FB_DIGEST_HOUR",
        "Hour from which what every account spent yesterday is sent, once a day, in UTC or in the"
        " zone that follows; default: not sent.",
        example="8 Europe/Berlin",
    ),
    Variable("FB_DAGSTER_URL", "Where people open Dagster; alerts link there.", DAGSTER_URL),
    Variable(
        "FB_REPORTS",
        "Folder of YAML with reports of your own; default ./reports where it exists."
        " docs/reports.md.",
        example="/srv/fbinsights/reports",
    ),
    Variable(
        "FB_HISTORY_SINCE",
        "First day of the grids in Dagster, and of what `fbinsights status` misses; default: 13"
        " months before the first load. A report's own later start_date wins, and no grid begins"
        " after the oldest day in the lake.",
        example="2025-11-01",
    ),
    Variable(
        "FB_OWNERS",
        "Whom Dagster shows as owners of assets: e-mail addresses or team:…, comma list. Reports"
        " may name others.",
        example="team:marketing-data",
    ),
    Variable(
        "FB_MEDIA",
        "0: no thumbnails of ads are downloaded. By default each is, once, into media/ in the lake:"
        " docs/media.md.",
        "1",
    ),
    Variable(
        "FB_ACCOUNTS_PER_RUN",
        "How many accounts one run of Dagster refreshes or backfills, 1 to 10000. More become runs"
        " of their own, for a launcher to spread over workers: docs/scaling.md.",
        "50",
    ),
    Variable(
        "FB_INTRADAY_MINUTES",
        "How often today is loaded once the schedule `intraday` is on, in minutes: 15 to 240."
        " docs/operations.md.",
        "60",
    ),
    Variable(
        "FB_INTRADAY_DELAY_MINUTES",
        "How long after the end of an hour Meta still counts what was delivered in it. Until then"
        " the hour of an open day is not called whole (loads.last_whole_hour). 0 to 1440; at the"
        " default about 99 % is there: docs/operations.md.",
        "180",
    ),
    Variable(
        "WAREHOUSE_URL",
        "The lake: a folder, with warehouse.duckdb in it, or s3://bucket/prefix, gs://bucket/prefix"
        " or az://container/prefix. A bucket needs `pip install 'fbinsights[s3]'`, [gcs] or"
        " [azure], and the usual variables of its cloud, for S3 those below: docs/lake.md.",
        "./data",
    ),
    Variable(
        "WAREHOUSE_LOCAL",
        "If the lake is in a bucket: the folder on this machine for what stays here. The published"
        " file is s3/bucket/prefix/warehouse.duckdb in it.",
        "./data",
    ),
    Variable(
        "WAREHOUSE_PUBLISH",
        "A DuckLake that the published tables go to as well; default: none. The address may hold a"
        " password, so it is a secret. docs/ducklake.md.",
        example="ducklake:sqlite:/srv/company.sqlite?data_path=/srv/files",
    ),
)

#: How our variables begin; how alike two names are, of 1, if one is a slip of the other.
_BEGINNINGS: Final = ("FB_", "WAREHOUSE_")
_NEAR: Final = 0.8


def unknown_settings(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Variables that begin like ours and have no effect, each with the one of ours that it
    resembles ("" if none).
    """
    known = [variable.name for variable in VARIABLES]
    for name in sorted(names):
        if name.upper().startswith(_BEGINNINGS) and name not in known:
            yield name, next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), "")


def unknown_text(name: str, near: str) -> str:
    """What is said about one of `unknown_settings`."""
    advice = f" Did you mean {near}?" if near else ""
    return f"{name} is not a variable of fbinsights and has no effect.{advice}"
