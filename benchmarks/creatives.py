"""An account of 20,000 creatives: requests of a whole listing and of a daily one, CPU and memory.

A server in a process of its own has the pages in memory: 50 creatives of about 3 kB each, as Meta's
are. The floor is DuckDB doing the least that could be called loading: the same pages from disk,
`read_text` and `from_json` to texts, into one Parquet file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import uvicorn

from benchmarks.measure import ALL_CORES, ROOT, ROUNDS, measured, print_figures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from socket import socket

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

__all__ = ["figures"]

ACCOUNT: Final = "111"
SIZES: Final = (1_000, 20_000)
NOW: Final = datetime(2026, 11, 23, 20, tzinfo=UTC)

#: What every creative of this account has in common, and makes it as large as Meta's are.
_TEXT: Final = "Every bike is built by hand and tested on the road before it leaves the house. " * 4
_CDN: Final = (
    "https://scontent.xx.fbcdn.net/v/t45.1600-4/{n}_n.jpg?_nc_cat=105&oh=00_A{n:016x}&oe={oe}"
)


def creative(n: int) -> dict[str, Any]:
    """One creative: a third of them has an asset feed."""
    link = f"https://shop.example/p/{n % 500}?utm_source=fb&utm_content={n}"
    picture = _CDN.format(n=n, oe="6B120280")
    button = {"type": "SHOP_NOW", "value": {"link": link}}
    spec: dict[str, Any] = {"page_id": "990001", "instagram_user_id": "17840000000001"}
    found: dict[str, Any] = {
        "id": str(120240000000000000 + n),
        "account_id": ACCOUNT,
        "name": f"Bikes {n} 2026-11-01-{n:08x}",
        "status": "ACTIVE",
        "object_type": "SHARE",
        "url_tags": "utm_medium=paid&utm_campaign={{campaign.name}}&utm_id={{campaign.id}}",
        "effective_object_story_id": f"990001_{n}",
        "thumbnail_url": picture,
        "image_url": picture,
        "degrees_of_freedom_spec": {
            "creative_features_spec": {
                name: {"enroll_status": "OPT_IN"}
                for name in ("image_touchups", "text_optimizations", "image_animation")
            }
        },
    }
    if n % 3:
        spec["link_data"] = {
            "link": link,
            "message": _TEXT,
            "name": f"Bike {n}",
            "image_hash": f"{n:032x}",
            "call_to_action": button,
        }
    else:
        found["asset_feed_spec"] = {
            "bodies": [{"text": f"{_TEXT}{k}"} for k in range(3)],
            "titles": [{"text": f"Bike {n} {k}"} for k in range(3)],
            "images": [{"hash": f"{n + k:032x}", "url": picture} for k in range(3)],
            "link_urls": [{"website_url": link}],
            "call_to_action_types": ["SHOP_NOW"],
        }
    return {**found, "object_story_spec": spec}


class Shelf:
    """An ASGI app: one account, its ads and its creatives, page by page."""

    def __init__(self, count: int) -> None:
        self._rows = [
            json.dumps(creative(n), separators=(",", ":")).replace("/", "\\/") for n in range(count)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        await receive()
        query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        body = self._page(query) if scope["path"].endswith("/adcreatives") else b'{"data":[]}'
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _page(self, query: Mapping[str, str]) -> bytes:
        start, limit = int(query.get("after") or 0), int(query["limit"])
        rows, end = self._rows[start : start + limit], start + limit
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(self._rows):
            paging["next"] = "https://graph.example/next"
        return f'{{"data":[{",".join(rows)}],"paging":{json.dumps(paging)}}}'.encode()


def floor(folder: Path, out: Path) -> int:
    """DuckDB: the pages from disk to texts, to one Parquet file."""
    import duckdb  # noqa: PLC0415  # what is measured is imported when used

    names = (
        *("id", "name", "status", "object_type", "url_tags", "effective_object_story_id"),
        *("thumbnail_url", "image_url", "degrees_of_freedom_spec", "object_story_spec"),
        "asset_feed_spec",
    )
    structure = json.dumps({"data": [dict.fromkeys(names, "VARCHAR")]})
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        [found] = connection.execute(
            f"copy (select unnest(from_json(content, '{structure}').data, recursive := true) "
            f"from read_text('{folder}/*.json')) to '{out}' (format parquet, compression zstd)"
        ).fetchall()
    return int(found[0])


def ours(url: str, out: Path) -> Mapping[str, float]:
    """A whole listing into an empty lake, then one more, in which only addresses have changed."""
    from fbgraph import GraphClient  # noqa: PLC0415
    from pipelines.loading.accounts.stored import store_accounts  # noqa: PLC0415
    from pipelines.loading.objects import load_objects  # noqa: PLC0415
    from warehouse.lake.partitions import Lake  # noqa: PLC0415

    lake = Lake(out)
    account = {"id": f"act_{ACCOUNT}", "account_id": ACCOUNT, "name": "A", "currency": "EUR"}
    store_accounts(lake, [{**account, "timezone_name": "Europe/Berlin"}], NOW)
    with GraphClient("token", base_url=url) as client:
        [found] = load_objects(client, lake, ["creatives"], [ACCOUNT], lambda: NOW)
        calls = client.tally.calls
    if found.error or found.unreadable:
        sys.exit(f"{found.error} {found.unreadable}")
    return {"rows": lake.read("creatives", account_id=ACCOUNT).num_rows, "calls": calls}


@contextmanager
def serving(count: int) -> Iterator[str]:
    """The server in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.creatives", "serve", str(count)]
    with subprocess.Popen(  # noqa: S603  ourselves
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process.stdout.readline().strip()  # type: ignore[union-attr]  # it is a pipe
        finally:
            process.terminate()


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    small, large = SIZES
    sides: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    floors = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = folder / "pages"
        pages.mkdir()
        shelf = Shelf(large)
        for n, start in enumerate(range(0, large, 50)):
            page = shelf._page({"after": str(start), "limit": "50"})  # noqa: SLF001  its own
            (pages / f"{n:06}.json").write_bytes(page)
        for size in SIZES:
            with serving(size) as url:
                for turn in range(ROUNDS):
                    out = folder / f"lake{size}.{turn}"
                    sides[size].append(measured("creatives", "ours", url, out))
        floors = [
            measured("creatives", "floor", pages, folder / f"floor{n}.parquet", cores=ALL_CORES)
            for n in range(ROUNDS)
        ]
    ours_of = {size: _medians(sides[size]) for size in SIZES}
    least = _medians(floors)
    if not ours_of[large]["rows"] == least["rows"] == large:
        sys.exit(f"{ours_of[large]['rows']} and {least['rows']} of {large} creatives were loaded")
    cpu = ours_of[large]["cpu_seconds"]
    yield f"requests for a listing of {large:,} creatives", f"{ours_of[large]['calls']:.0f}", "410"
    yield (
        "CPU of it, against the floor",
        f"{cpu / least['cpu_seconds']:.1f} x ({cpu:.1f} CPU-s)",
        "",
    )
    yield "peak memory of it", f"{ours_of[large]['peak_mb']:.0f} MB", "300"
    growth = ours_of[large]["peak_mb"] - ours_of[small]["peak_mb"]
    yield f"growth from {small:,} to {large:,} creatives", f"{growth:.0f} MB", "200"


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(one[key] for one in rounds) for key in rounds[0]}


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()
        print(f"http://{host}:{port}", flush=True)


if __name__ == "__main__":
    way, *asked = sys.argv[1:] or ["all"]
    if way == "serve":
        app = Shelf(int(asked[0]))
        _Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error")).run()
    elif way == "floor":
        print_figures(lambda: floor(*map(Path, asked)))
    elif way == "ours":
        print_figures(lambda: ours(asked[0], Path(asked[1])))
    else:
        for line in figures():
            print("  ".join(line))
