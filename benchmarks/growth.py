"""A lake of very many small account-days: what it costs to publish it.

Two sizes, of 20 rows an account-day: "small", 73,000 of `insights_hourly`, two hundred accounts for
a year; and "large", 600,000 of three tables, five hundred accounts for four hundred days. `make
bench` runs the small one; `python -m benchmarks.growth large` the other, in 11 GB under
BENCH_FOLDER.

An account-day of each table and day is written by the lake itself. The other accounts have copies
of its file, in which only the account's id in the footer differs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.measure import measured, print_figures
from pipelines.state.history import set_up
from warehouse.decode import arrow
from warehouse.decode.pages import Account, decode
from warehouse.decode.values import HOUR_LABELS
from warehouse.lake.partitions import Lake
from warehouse.lake.proof.reconcile import Evidence
from warehouse.lake.records import Load
from warehouse.schema.columns import HOURLY
from warehouse.schema.tables import TABLES
from warehouse.schema.verdicts import PROVEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from warehouse.schema.table import Table

__all__ = ["SIZES", "figures", "fill", "put"]

#: Rows of an account-day.
ROWS: Final = 20

LAST_DAY: Final = date(2026, 11, 21)

#: The account whose files are copied.
FIRST_ACCOUNT: Final = "500300000007310042"


class Size(NamedTuple):
    """How many accounts and days of which tables a lake has, and what is to be reached: MB and CPU
    seconds of a full publish, and CPU seconds of one after one account-day has changed.
    """

    accounts: int
    days: int
    tables: Sequence[str]
    limits: tuple[str, str, str]

    @property
    def files(self) -> int:
        return self.accounts * self.days * len(self.tables)

    def account_ids(self) -> Sequence[str]:
        return [f"{int(FIRST_ACCOUNT) + n * 10_000_000}" for n in range(self.accounts)]

    def dates(self) -> Sequence[date]:
        return [LAST_DAY - timedelta(days=n) for n in reversed(range(self.days))]


SIZES: Final[Mapping[str, Size]] = {
    "tiny": Size(10, 30, ("insights_hourly",), ("", "", "")),
    "small": Size(200, 365, ("insights_hourly",), ("400 MB", "30 CPU-s", "0.6 s")),
    "large": Size(
        *(500, 400, ("insights_hourly", "insights_daily", "control_daily")),
        ("500 MB", "250 CPU-s", "3 s"),
    ),
}


# -- the lake --------------------------------------------------------------------------------------
def fill(url: Path, size: Size) -> int:
    """Write a lake of a size, minutes for the large one; the account-days that it has."""
    lake = Lake(url)
    _put_accounts(lake, size.account_ids())
    for table in size.tables:
        for day in size.dates():
            put(lake, TABLES[table], FIRST_ACCOUNT, day, seed=day.toordinal())
            where = lake.partition(TABLES[table], FIRST_ACCOUNT, day)
            _copy((url / where.key).read_bytes(), url, where.key, size.account_ids()[1:])
    set_up(lake, LAST_DAY)  # where its history begins, as a load keeps it
    lake.changed()
    return size.files


def _copy(content: bytes, url: Path, key: str, account_ids: Sequence[str]) -> None:
    """Write the file of an account-day of FIRST_ACCOUNT as that of others."""
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    head, tail = content[:footer], content[footer:]
    old = FIRST_ACCOUNT.encode()
    if old in head or old not in tail:
        sys.exit(f"{key} names its account elsewhere than in the footer")
    for account_id in account_ids:
        path = url / key.replace(FIRST_ACCOUNT, account_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head + tail.replace(old, account_id.encode()))


def put(lake: Lake, table: Table, account_id: str, day: date, seed: int) -> None:
    """Write one account-day; another seed, other numbers."""
    body = json.dumps({"data": [*_rows(table, account_id, day, seed)]}).encode()
    rows = decode(table, [body], Account(account_id, "UTC", "EUR"), [day]).rows
    found = Evidence.of(table, rows)
    load = Load.of(
        *(table.name, account_id, day, found),
        verdict=PROVEN,
        loaded_at=datetime.now(UTC),
        is_over=True,
        control_impressions=found.totals.impressions,
        control_clicks=found.totals.clicks,
        control_spend=found.totals.spend,
        report_run_ids=(str(9_000_000_000_000_000 + seed),),
        calls=5,
        seconds=1.5,
        api_version="v26.0",
        run_id="3f1c7c52-6d0e-4f0e-9b55-0c6f6f6f4a11",
    )
    lake.replace(table, rows, account_id=account_id, date=day, load=load)


def _rows(table: Table, account_id: str, day: date, seed: int) -> Iterator[dict[str, object]]:
    for n in range(1 if table.name == "control_daily" else ROWS):
        ad, hour = (n // 5, n % 5) if table.name == "insights_hourly" else (n, 0)
        row: dict[str, object] = {
            "account_id": account_id,
            "account_currency": "EUR",
            "impressions": str(50 + (7 * n + seed) % 400),
            "clicks": str((n + seed) % 11),
            "spend": str(Decimal((3 * n + seed) % 977) / 100),
            "date_start": str(day),
            "date_stop": str(day),
        }
        if table.name != "control_daily":
            row |= {
                "campaign_id": f"1207301000000{ad // 8:06}",
                "adset_id": f"1207302000000{ad // 4:06}",
                "ad_id": f"1207303000000{ad:06}",
                "campaign_name": f"Campaign {ad // 8} | Sales | Prospecting",
                "adset_name": f"Ad set {ad // 4} | Broad",
                "ad_name": f"Ad {ad} | Carousel",
                "objective": "OUTCOME_SALES",
                "optimization_goal": "OFFSITE_CONVERSIONS",
                "inline_link_clicks": str(n % 5),
                "actions": [
                    {"action_type": kind, "value": str(n % 7)}
                    for kind in ("link_click", "post_engagement", "video_view")
                ],
            }
        if table.name == "insights_hourly":
            row[HOURLY] = HOUR_LABELS[hour + 3]
        yield row


def _put_accounts(lake: Lake, account_ids: Sequence[str]) -> None:
    table = TABLES["accounts"]
    known = {
        "account_timezone": "UTC",
        "account_currency": "EUR",
        "account_name": "An account",
    }
    rows: pa.Table = arrow.records(
        table.arrow_schema, [{"account_id": one, **known} for one in account_ids]
    )
    lake.replace(table, rows)


# -- what is measured ------------------------------------------------------------------------------
def _publish(url: Path, *, afresh: bool = False) -> Mapping[str, float]:
    from warehouse.published.publish import publish  # noqa: PLC0415  # not what makes the lake

    done = publish(url, afresh=afresh)
    return {"seconds": done.seconds, "published": sum(done.rows.values())}


def _rebuild(url: Path) -> Mapping[str, float]:
    """Publish as if the definitions of tables had changed."""
    from warehouse.published.publish import MASTER, SNAPSHOTS  # noqa: PLC0415  # as above

    shutil.rmtree(url / SNAPSHOTS / MASTER)
    return _publish(url)


def figures(name: str = "small", folder: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    size = SIZES[name]
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as made:
        url = folder or Path(made, "lake")
        if not (url / size.tables[0]).exists():
            measured("growth", "fill", name, url)
        yield from _figures(name, size, url)


def _figures(name: str, size: Size, url: Path) -> Iterator[tuple[str, str, str]]:
    memory, whole, again = size.limits
    of = f"{size.files:,} account-days"
    full = measured("growth", "publish-all", url)
    yield f"full publish of {of}, {full['published']:,.0f} rows: CPU", _cpu(full), whole
    yield "the same: peak memory", f"{full['peak_mb']:.0f} MB", memory
    again_all = measured("growth", "rebuild", url)
    yield f"rebuilding it, as for another report: {of}", _cpu(again_all), ""
    yield "the same: peak memory", f"{again_all['peak_mb']:.0f} MB", ""
    measured("growth", "change", name, url)
    one = measured("growth", "publish", url)
    what = f"publishing after one of {of} changed: process included, the publish alone"
    yield what, f"{_cpu(one)}, {one['seconds']:.1f} s", again
    yield "the same: peak memory", f"{one['peak_mb']:.0f} MB", ""


def _cpu(figures: Mapping[str, float]) -> str:
    return f"{figures['cpu_seconds']:.1f} CPU-s"


def _change(name: str, url: Path) -> int:
    """Load one account-day again, with other numbers."""
    size, now = SIZES[name], datetime.now(UTC)
    account_id, table = size.account_ids()[len(size.account_ids()) // 2], TABLES[size.tables[0]]
    put(Lake(url), table, account_id, LAST_DAY, seed=int(now.timestamp()))
    return 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", name, url]:
            print_figures(lambda: fill(Path(url), SIZES[name]))
        case ["publish-all", url]:  # also where it was published before
            print_figures(lambda: _publish(Path(url), afresh=True))
        case ["publish", url]:
            print_figures(lambda: _publish(Path(url)))
        case ["rebuild", url]:
            print_figures(lambda: _rebuild(Path(url)))
        case ["change", name, url]:
            print_figures(lambda: _change(name, Path(url)))
        case [name]:
            for line in figures(name):
                print("  ".join(line), flush=True)
        case [name, url]:
            for line in figures(name, Path(url)):
                print("  ".join(line), flush=True)
