"""The same rows by what people use today: Meta's SDK with pandas, and dlt into DuckDB.

Both run in an environment of their own, whose Python `BENCH_PYTHON` names:

    python -m venv /tmp/others
    /tmp/others/bin/pip install facebook-business pandas pyarrow 'dlt[duckdb]'
    BENCH_PYTHON=/tmp/others/bin/python make bench

They are told to filter on every status, without which they would lose the archived and deleted, and
to ask for large pages. `sdk` types its columns, exactly as ours; dlt does with them what it does.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import print_figures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
COUNTS = (
    *("impressions", "clicks", "inline_link_clicks", "inline_post_engagement"),
    "full_view_impressions",
)
MONEYS = ("spend", "social_spend")
LISTS = ("actions", "action_values", "conversions", "conversion_values", "outbound_clicks")


def rows_of(asked: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """All rows of one report, by the SDK."""
    api = import_module("facebook_business.api")
    account = import_module("facebook_business.adobjects.adaccount").AdAccount
    import_module("facebook_business.session").FacebookSession.GRAPH = asked["url"]
    api.FacebookAdsApi.init(access_token=asked["token"], api_version="v26.0")
    run = account(f"act_{asked['account_id']}").get_insights(
        params=asked["params"], is_async=True, fields=asked["params"]["fields"]
    )
    while run.api_get()["async_status"] != "Job Completed":
        time.sleep(0.05)
    return [dict(row) for row in run.get_result(params={"limit": asked["limit"]})]


def sdk(asked: Mapping[str, Any], out: Path) -> int:
    """The SDK's rows through pandas into one Parquet file per day; rows written."""
    pd, pa, pq = (import_module(name) for name in ("pandas", "pyarrow", "pyarrow.parquet"))
    frame = pd.DataFrame(rows_of(asked))
    entry = pa.struct([("action_type", pa.string()), ("value", pa.decimal128(18, 6))])
    for name in (name for name in COUNTS if name in frame):
        frame[name] = pd.to_numeric(frame[name]).astype("Int64")
    for name in (name for name in MONEYS if name in frame):
        frame[name] = frame[name].map(Decimal, na_action="ignore")
    for name in (name for name in LISTS if name in frame):
        frame[name] = frame[name].map(_entries, na_action="ignore")
    frame["hour"] = frame.pop(HOURLY).str[:2].astype("Int8")
    frame = frame.sort_values(["ad_id", "hour"])
    types = {name: pa.decimal128(18, 6) for name in MONEYS} | {n: pa.list_(entry) for n in LISTS}
    out.mkdir()
    for day, of_day in frame.groupby("date_start"):
        table = pa.Table.from_pandas(of_day, preserve_index=False)
        fields = [f.with_type(types.get(f.name, f.type)) for f in table.schema]
        pq.write_table(table.cast(pa.schema(fields)), out / f"{day}.parquet", compression="zstd")
    return len(frame)


def _entries(entries: Sequence[Mapping[str, str]]) -> list[dict[str, object]]:
    return [{"action_type": e["action_type"], "value": Decimal(e["value"])} for e in entries]


def dlt(asked: Mapping[str, Any], out: Path) -> int:
    """The SDK's rows through dlt into DuckDB, with its defaults; rows written."""
    module = import_module("dlt")
    pipeline = module.pipeline(
        "bench",
        pipelines_dir=str(out.with_suffix(".dlt")),
        destination=module.destinations.duckdb(str(out)),
        dataset_name="bench",
    )
    rows = rows_of(asked)
    pipeline.run(rows, table_name="insights_hourly")
    return len(rows)


SIDES = {"sdk": sdk, "dlt": dlt}

if __name__ == "__main__":
    print_figures(
        lambda: SIDES[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3]))
    )
