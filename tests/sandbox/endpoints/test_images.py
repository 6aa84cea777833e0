from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING, Any

import pytest

from fbgraph.sandbox.endpoints.images import size_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Graph

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"\r\n--\n\r\x00"
GIF = b"GIF89a" + struct.pack("<HH", 3, 5)
JPEG = b"\xff\xd8\xff\xe0\x00\x04xx\xff\xc4\x00\x03y\xff\xc2\x00\x08\x08" + struct.pack(
    ">HH", 200, 300
)


@pytest.fixture
def fresh(open_graph: Callable[..., Graph]) -> Graph:
    return open_graph()


def upload(graph: Graph, files: dict[str, tuple[str, bytes]], **data: str) -> dict[str, Any]:
    url = f"v26.0/{graph.account()}/adimages"
    answer: dict[str, Any] = graph.bare.post(
        url, files=files, data=data, headers=graph.bearer
    ).json()
    return answer


def test_several_files_go_up_as_parts_each_under_its_name(fresh: Graph) -> None:
    files = {"source0": ("banner.png", PNG), "b": ("Größe 東京.gif", GIF)}

    images = upload(fresh, files)["images"]

    assert images.keys() == {"banner.png", "Größe 東京.gif"}
    assert images["banner.png"].keys() == {"hash", "url"}
    assert images["banner.png"]["hash"] == hashlib.md5(PNG, usedforsecurity=False).hexdigest()


def test_images_are_listed_with_their_sizes(fresh: Graph) -> None:
    upload(fresh, {"a": ("a.png", PNG), "b": ("b.jpg", JPEG), "c": ("c.txt", b"no image")})
    path = f"{fresh.account()}/adimages"

    before = fresh.get(path, limit=1, summary="true").json()["summary"]["total_count"] - 3
    rows = fresh.rows(path, fields="hash,name,width,height,status")[before:]
    wide = fresh.rows(path, minwidth=301)[before:]
    by_hash = fresh.rows(path, hashes=[rows[1]["hash"]])

    assert {r["name"]: (r.get("width"), r.get("height")) for r in rows} == {
        "a.png": (640, 480),
        "b.jpg": (300, 200),
        "c.txt": (None, None),
    }
    assert [r["hash"] for r in wide] == [rows[0]["hash"]]
    assert by_hash == [{"id": rows[1]["id"], "hash": rows[1]["hash"]}]
    assert rows[1]["id"] == f"{fresh.account()[4:]}:{rows[1]['hash']}"
    assert before > 20


def test_bytes_may_come_as_base64(fresh: Graph) -> None:
    path = f"{fresh.account()}/adimages"
    text = base64.b64encode(PNG).decode()

    plain = fresh.post(path, bytes=text).json()["images"]
    named = fresh.post(path, bytes=text, name="n.png").json()["images"]

    assert plain.keys() == {"bytes"}
    assert named["n.png"]["hash"] == plain["bytes"]["hash"]
    assert named["n.png"]["url"] != plain["bytes"]["url"]  # it is signed at each read
    assert len(fresh.rows(path, name="bytes")) == 1


@pytest.mark.parametrize(
    ("files", "data", "words"),
    [
        ({}, {"name": "x"}, "The parameter bytes is required"),
        ({"a": ("a.png", b"")}, {}, "Invalid parameter"),
        ({"a": ("a.png", PNG)}, {"colour": "red"}, "Invalid parameter"),
        ({}, {"bytes": "###"}, "bytes must be base64"),
    ],
)
def test_a_wrong_upload_is_refused(
    graph: Graph, files: dict[str, tuple[str, bytes]], data: dict[str, str], words: str
) -> None:
    error = upload(graph, files, **data)["error"]

    assert error["code"] == 100
    assert words in error["message"]


def test_a_broken_multipart_body_lacks_what_it_should_say(graph: Graph) -> None:
    headers = {**graph.bearer, "Content-Type": "multipart/form-data"}

    answer = graph.bare.post(f"v26.0/{graph.account()}/adimages", content=b"x", headers=headers)

    assert answer.json()["error"]["message"] == "(#100) The parameter bytes is required"


def test_an_image_is_deleted_by_its_hash_and_can_come_back(fresh: Graph) -> None:
    path = f"{fresh.account()}/adimages"
    digest = upload(fresh, {"a": ("a.png", PNG)})["images"]["a.png"]["hash"]

    answer = fresh.delete(path, hash=digest)
    again = fresh.delete(path, hash=digest)

    assert answer.json() == {"success": True}
    assert fresh.rows(path, hashes=[digest]) == []
    assert again.json()["error"]["code"] == 100
    upload(fresh, {"a": ("a.png", PNG)})
    assert len(fresh.rows(path, hashes=[digest])) == 1


def test_a_creative_shows_an_image_of_its_account(fresh: Graph) -> None:
    digest = upload(fresh, {"a": ("a.png", PNG)})["images"]["a.png"]["hash"]
    path = f"{fresh.account()}/adcreatives"

    made = fresh.made("adcreatives", image_hash=digest, title="t", name="n")
    wrong = fresh.refusal(path, image_hash="0" * 32)
    empty = fresh.refusal(path, name="n")

    found = fresh.get(made, fields="image_hash,title").json()
    assert (found["image_hash"], found["title"]) == (digest, "t")
    assert wrong["code"] == 100
    assert empty["message"] == "(#100) The parameter object_story_spec is required"


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (PNG, (640, 480)),
        (GIF, (3, 5)),
        (JPEG, (300, 200)),
        (PNG[:20], None),
        (JPEG[:12], None),
        (b"", None),
        (b"<svg/>", None),
    ],
)
def test_the_size_is_read_off_the_first_bytes(content: bytes, size: tuple[int, int] | None) -> None:
    assert size_of(content) == size
