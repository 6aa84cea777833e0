"""Pictures of ads: from where they may come, what is kept of what comes, and in which order."""

from __future__ import annotations

import struct
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pytest

from fbgraph import GraphClient
from fbgraph.sandbox import Sandbox
from pipelines.loading.accounts.discovery import discover
from pipelines.loading.accounts.stored import store_accounts
from pipelines.loading.media.bounds import RunBounds
from pipelines.loading.media.choosing import Choice, MediaLimits, Tried, Wanted, choose
from pipelines.loading.media.download import Downloads, PictureError
from pipelines.loading.media.formats import Format, format_of, is_whole
from pipelines.loading.media.hosts import why_refused
from pipelines.loading.recording import Recording
from pipelines.loading.session import Session
from tests.clock import NOW, Clock
from tests.reports import KNOWN
from warehouse.lake.partitions import Lake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

GRAPH: Final = "https://graph.facebook.com"
SANDBOX: Final = "http://127.0.0.1:8810"


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


PNG: Final = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(bytes(65 * 48)))
    + _chunk(b"IEND", b"")
)


def test_a_picture_comes_from_metas_hosts_or_the_sandbox_itself_and_from_nowhere_else() -> None:
    fine = [
        "https://scontent-fra3-1.xx.fbcdn.net/v/t45/1_n.jpg?oe=6B120280",
        "https://www.facebook.com/ads/image/?d=AQ",
        "https://scontent.CDNINSTAGRAM.com:443/x.jpg",
    ]
    refused = {
        "http://scontent.xx.fbcdn.net/x.jpg": "https://",
        "https://fbcdn.net.evil.example/x.jpg": "not a host of Meta's",
        "https://evilfbcdn.net/x.jpg": "not a host of Meta's",
        "https://fbcdn.net@evil.example/": "a user",
        "https://evil.example\\@fbcdn.net/x": "",
        "https://evil.example#.fbcdn.net/x": "not a host of Meta's",
        "https://evil.example?.fbcdn.net/x": "not a host of Meta's",
        "https://fbcdn.net:8443/x": "port",
        "https://user:secret@fbcdn.net/x": "a user",
        "https://169.254.169.254/latest/meta-data": "not a host of Meta's",
        "https://[::1]/x": "not a host of Meta's",
        "https://fbcdn.net./x": "not a host of Meta's",
        "https://evil.example\uff0f.fbcdn.net/x": "",
        "http://localhost/x": "https://",
        "file:///etc/passwd": "https://",
        "data:image/png;base64,AAAA": "https://",
        "//fbcdn.net/x": "https://",
        "https://": "not a host",
        "http://[": "https://",
        "https://fbcdn.net\n/x": "malformed",
        "": "https://",
    }
    of_sandbox = {
        f"{SANDBOX}/media/1.png": True,
        "http://127.0.0.1:8811/media/1.png": False,
        "http://localhost:8810/media/1.png": False,
        "http://x@127.0.0.1:8810/media/1.png": False,
        "https://127.0.0.1:8810/media/1.png": False,
        fine[0]: True,
    }

    assert [why_refused(one, GRAPH) for one in fine] == [""] * len(fine)
    told = {one: why_refused(one, GRAPH) for one in refused}
    assert {one: why for one, why in told.items() if not why or refused[one] not in why} == {}
    assert {one: not why_refused(one, SANDBOX) for one in of_sandbox} == of_sandbox
    # Graph elsewhere: nothing of this machine, nor of the other one.
    assert why_refused("http://10.0.0.5:8810/x", "http://10.0.0.5:8810") != ""
    assert why_refused(f"{SANDBOX}/x", GRAPH) != ""


def test_the_first_bytes_say_what_a_picture_is() -> None:
    exif = b"\xff\xe1" + struct.pack(">H", 6) + b"Exif"
    frame = b"\xff\xff\xc2" + struct.pack(">HBHH", 17, 8, 48, 64)
    webp = b"RIFF\x00\x00\x00\x00WEBP"
    lossless = struct.pack("<I", (64 - 1) | (48 - 1) << 14)
    extended = bytes(4) + (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    cases = {
        PNG: Format("image/png", 64, 48),
        b"GIF89a" + struct.pack("<HH", 64, 48): Format("image/gif", 64, 48),
        b"\xff\xd8" + exif + frame: Format("image/jpeg", 64, 48),
        webp + b"VP8 " + bytes(10) + struct.pack("<HH", 64 | 0x4000, 48): Format(
            "image/webp", 64, 48
        ),
        webp + b"VP8L" + bytes(5) + lossless: Format("image/webp", 64, 48),
        webp + b"VP8X" + bytes(4) + extended: Format("image/webp", 64, 48),
        b"\xff\xd8\xff\xe0": Format("image/jpeg", None, None),
        b"\xff\xd8\xff\xe0\x00\x00": Format("image/jpeg", None, None),
        webp + b"ANIM": Format("image/webp", None, None),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>': None,
        b"<html>": None,
        b"": None,
    }

    assert {content: format_of(content) for content in cases} == cases


def test_a_run_chooses_what_is_valid_and_newest_and_reads_few_of_what_has_expired_again() -> None:
    day, second = timedelta(days=1), timedelta(seconds=1)

    def ends(in_: timedelta) -> str:
        return f"https://x.fbcdn.net/a.jpg?oe={int((NOW + in_).timestamp()):X}"

    valid, expired, silent = ends(day), ends(-second), "https://x.fbcdn.net/a.jpg"
    kept = Tried(is_kept=True, attempts=0, at=NOW)
    once = Tried(is_kept=False, attempts=1, at=NOW - day)
    twice = Tried(is_kept=False, attempts=2, at=NOW)
    thrice = Tried(is_kept=False, attempts=3, at=NOW - 7 * day + second)
    # Addresses by creative, what was tried → what is downloaded, what is read by id, how many left.
    cases: list[tuple[dict[str, str | None], dict[str, Tried], list[str], list[str], int]] = [
        ({}, {}, [], [], 0),
        ({"9": valid, "10": silent, "8": None, "7": ""}, {}, ["10", "9"], [], 0),
        ({"1": valid, "2": valid}, {"2": kept}, ["1"], [], 0),
        ({"1": valid, "2": valid, "3": valid}, {"3": twice, "2": once}, ["1", "2", "3"], [], 0),
        ({"1": valid, "2": valid}, {"2": thrice}, ["1"], [], 0),
        ({"1": valid}, {"1": thrice._replace(at=NOW - 7 * day)}, ["1"], [], 0),
        ({"1": valid}, {"1": thrice._replace(attempts=9)}, [], [], 0),
        ({"1": expired}, {"1": kept}, [], [], 0),
        ({"1": expired}, {"1": thrice}, [], [], 0),
        ({"1": expired, "2": valid, "3": expired}, {"3": once}, ["2"], ["1", "3"], 0),
        (dict.fromkeys("12345", expired), {}, [], ["5", "4"], 3),
        (dict.fromkeys("123456", valid), {}, ["6", "5", "4", "3"], [], 2),
        ({**dict.fromkeys("12345", valid), "6": expired}, {}, ["5", "4", "3", "2"], [], 2),
        (
            {**dict.fromkeys("123", valid), **dict.fromkeys("45", expired)},
            {},
            ["3", "2", "1"],
            ["5"],
            1,
        ),
    ]
    limits = MediaLimits(pictures=4, read_again=2)

    for addresses, tried, download, again, left in cases:
        wanted = [Wanted(key, addresses[key] or "") for key in download]
        assert choose(addresses.items(), tried, NOW, limits) == Choice(wanted, again, left)


def test_a_picture_is_whole_if_its_format_says_so() -> None:
    jpeg = (
        b"\xff\xd8"
        + (b"\xff\xe0" + struct.pack(">H", 9) + b"\xff\xd9\xff\xda_x_")  # markers in a segment
        + (b"\xff\xc2" + struct.pack(">HBHHB", 8, 8, 48, 64, 0))
        + (b"\xff\xda" + struct.pack(">H", 3) + b"_" + b"data\xff\x00\xff\xd3data")
        + (b"\xff\xc4" + struct.pack(">H", 4) + b"\xff\xd9")  # between two scans
        + (b"\xff\xda" + struct.pack(">H", 2) + b"data" + b"\xff\xff\xd9")
    )
    gif = b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0x80, 0, 0) + bytes(6)
    gif += b"!\xf9\x04" + bytes(4) + b"\0"
    gif += b"," + bytes(8) + b"\0" + b"\x08" + b"\x02;;" + b"\0" + b";"
    parts = (
        b"VP8X" + struct.pack("<I", 10) + bytes(10) + b"VP8L" + struct.pack("<I", 5) + b"/abcd\0"
    )
    webp = b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts
    cases = {"image/jpeg": jpeg, "image/gif": gif, "image/webp": webp, "image/png": PNG}

    for mime, content in cases.items():
        assert format_of(content) == Format(mime, *((1, 1) if mime == "image/webp" else (64, 48)))
        assert is_whole(content, mime)
        assert is_whole(content + b"anything", mime)  # ends where it says
        cut = [n for n in range(12, len(content)) if is_whole(content[:n], mime)]
        # Some encoders leave out what fills up the last part of a WebP.
        assert cut == []
    damaged = PNG[:50] + bytes([PNG[50] ^ 1]) + PNG[51:]
    assert not is_whole(damaged, "image/png")
    assert not is_whole(gif[:26] + b"?" + gif[27:], "image/gif")
    assert not is_whole(b"\xff\xd8\xff\xd9", "image/jpeg")  # without a picture in it
    assert not is_whole(b"RIFF\x04\x00\x00\x00WEBP", "image/webp")


def test_the_pictures_of_a_run_end_when_they_must() -> None:
    seconds = [0.0]

    def begun(*, stopped: bool = False) -> RunBounds:
        return RunBounds(lambda: seconds[0], lambda: stopped, seconds=10)

    late, silent, barren = begun(), begun(), begun()
    for n in range(16):
        assert not silent.is_over
        silent.note_picture(silent=n != 0)
    silent.note_picture(silent=True)
    for brought in (False, False, True, False, False):
        barren.note_read_again(brought=brought)
        assert barren.may_read_again
    barren.note_read_again(brought=False)
    assert (begun(stopped=True).is_over, silent.is_over) == (True, True)
    assert (barren.may_read_again, barren.is_over) == (False, False)
    seconds[0] = 9.9
    assert not late.is_over
    seconds[0] = 10.0
    assert (late.is_over, late.left, late.may_read_again) == (True, 0.0, False)
    assert str(late) == "the time for pictures of one run (10 s) is over"


class Pictures(BaseHTTPRequestHandler):
    """Serves a picture, and whatever goes wrong with one."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({key.lower(): value for key, value in self.headers.items()})
        kind = self.path.lstrip("/").partition("?")[0]
        send: dict[str, Callable[[], None]] = {
            "ok": lambda: self._send(PNG),
            "moved": lambda: self._redirect("/ok"),
            "away": lambda: self._redirect("https://evil.example/x.png"),
            "inside": lambda: self._redirect("http://127.0.0.1:1/x.png"),
            "around": lambda: self._redirect("/around"),
            "nowhere": lambda: self._redirect("http://[broken"),
            "gone": lambda: self.send_error(403),
            "page": lambda: self._send(b"<html>", "text/html"),
            "untyped": lambda: self._send(PNG, ""),
            "large": lambda: self._send(PNG + bytes(2_000)),
            "slow": self._drip,
            "cut": lambda: self._send(PNG, length=1_000),
        }
        send[kind]()

    def _send(self, body: bytes, kind: str = "image/png; x", length: int = 0) -> None:
        self.send_response(200)
        if kind:
            self.send_header("content-type", kind)
        self.send_header("content-length", str(length or len(body)))
        self.send_header("set-cookie", "a=b")
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("location", where)
        self.send_header("set-cookie", "a=b")
        self.end_headers()

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(40):
                self.wfile.write(b"\x89")
                self.wfile.flush()
                time.sleep(0.05)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def served() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address of pictures, and the headers of the requests for them."""
    seen: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Pictures,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_not_a_picture_in_time_and_in_size_is_refused_and_nothing_of_ours_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FB_ACCESS_TOKEN", "SECRET")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # this machine is asked without one
    told: dict[str, str] = {}
    with served() as (url, seen), Downloads(url, seconds=0.6, most_bytes=1_000) as downloads:
        fine = [downloads.get(f"{url}/{path}") for path in ("ok", "moved")]
        paths = ("away", "inside", "around", "nowhere", "gone", "page", "untyped", "large", "cut")
        for path in (*paths, "slow"):
            with pytest.raises(PictureError) as caught:
                downloads.get(f"{url}/{path}?oe=SIGNED")
            told[path] = str(caught.value)

    assert fine == [PNG, PNG]
    assert told == {
        "away": "evil.example is not a host of Meta's",
        "inside": "its address does not begin with https://",
        "around": "more than 3 redirects in a row",
        "nowhere": "its address does not begin with https://",
        "gone": "the response was HTTP 403",
        "page": "the response is not a picture (text/html)",
        "untyped": "the response is not a picture (no content type)",
        "large": "it has more than 1,000 bytes",
        "cut": "no response (RemoteProtocolError)",
        "slow": "no response (ReadTimeout)",
    }
    assert {key for headers in seen for key in headers} <= {
        *("host", "accept", "accept-encoding", "connection", "user-agent"),
    }


def addresses_from(first: str, rows: pa.Table) -> pa.Table:
    """Creatives of which the first has another address of its picture."""
    addresses = [first, *rows["thumbnail_url"].to_pylist()[1:]]
    index = rows.schema.get_field_index("thumbnail_url")
    return rows.set_column(index, rows.schema.field(index), pa.array(addresses))


def without(creatives: Collection[str], rows: pa.Table) -> pa.Table:
    """Rows of other creatives than these."""
    return rows.filter([one not in creatives for one in rows["creative_id"].to_pylist()])


def test_pictures_that_were_left_come_with_the_next_refreshes_and_expired_addresses_are_read_again(
    tmp_path: Path,
) -> None:
    lake, clock = Lake(tmp_path / "data", catalog=KNOWN.catalog), Clock()
    with (
        Sandbox(world="hostile", now=clock) as sandbox,
        GraphClient(sandbox.token, base_url=sandbox.url, sleep=lambda _: None) as client,
    ):
        account_id = sandbox.account_ids[0]
        # The day of its weekly listing, so that the next one is seven days away.
        clock.now -= timedelta(days=(clock.now.date().toordinal() + int(account_id)) % 7)
        store_accounts(lake, discover(client).rows, clock.now)

        def refreshed(*, media: bool = True) -> tuple[dict[str, Any], dict[str, int]]:
            """The rows of thumbnails by creative, and the calls about creatives."""
            sandbox.reset_calls()
            one = Session(client, lake, "run", clock, Recording(), media=media)
            one.list_objects([account_id])
            one.keep_pictures([account_id])
            rows = lake.read("thumbnails", account_id=account_id).to_pylist()
            calls = {one["path"]: one["count"] for one in sandbox.calls()["calls"]}
            about = {"/": calls.get("/", 0)}
            about |= {path: n for path, n in calls.items() if path.endswith("/adcreatives")}
            return {row["creative_id"]: row for row in rows}, about

        refreshed(media=False)  # all of them are left
        nowhere = f"{sandbox.url}/media/none.png"  # says nothing about when it expires
        lake.update("creatives", partial(addresses_from, nowhere), account_id=account_id)
        clock.now += timedelta(days=1)
        first, calls = refreshed()

        creatives = lake.read("creatives", account_id=account_id)["creative_id"].to_pylist()
        bad = {key for key, row in first.items() if row["error"]}
        assert (sorted(first), calls) == (sorted(creatives), {"/": 0})
        assert 0 < len(bad) < len(first) <= 50
        assert {(row["attempts"], row["error"]) for row in first.values()} == {
            (0, None),
            (1, "the response was HTTP 403"),
        }

        lost = sorted(first.keys() - bad)[:3]
        lake.update("thumbnails", partial(without, lost), account_id=account_id)
        clock.now += timedelta(days=4)
        second, calls = refreshed()

        assert calls == {"/": 1}  # a batch of what is expired and has no picture
        assert {key: row["sha256"] for key, row in second.items()} == {
            key: row["sha256"] for key, row in first.items()
        }
        assert {second[key]["attempts"] for key in bad} == {2}

        refreshed()
        clock.now += timedelta(minutes=1)
        last, calls = refreshed()
        assert calls == {"/": 0}
        assert {last[key]["attempts"] for key in bad} == {3}
        assert {last[key]["fetched_at"] for key in bad} == {clock.now - timedelta(minutes=1)}
