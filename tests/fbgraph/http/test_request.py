from __future__ import annotations

import io
import json
import logging
import os
import shutil
import subprocess
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import GraphClient, Request
from fbgraph.errors import RequestError
from fbgraph.http.auth import appsecret_proof
from fbgraph.http.request import ROOT, as_curl, check, encode, read_files
from fbgraph.objects.report_run import POLL_FIELDS
from fbgraph.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fbgraph.conftest import Heard, Listen, MakeWire

OK = httpx.Response(200, json={"id": "1"})
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # invented
ODD = "Größe 東京 😀 & 50% + a=b 'single' \"double\" $HOME `date` \\n \n\t@file;#~"
FILES = {"a b.png": b"\x89PNG\r\n\r\n\x00--", "größe,b;c.png": b"", "d": b"text\n"}

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")

#: name → a call of each kind.
CALLS = {
    "bare GET": Request("GET", "me"),
    "GET": Request("GET", "act_1/ads", {"fields": ("id", "name"), "limit": 2, "name": ODD}),
    "GET of JSON": Request("GET", "act_1/insights", {"time_range": {"since": "2026-11-21"}}),
    "empty value": Request("GET", "1", {"name": ""}),
    "bare POST": Request("POST", "1"),
    "POST": Request("POST", "act_1/campaigns", {"name": ODD, "special_ad_categories": []}),
    "POST of fields": Request("POST", "act_1/insights", {"fields": ["spend"], "level": "ad"}),
    "at the start": Request("POST", "1", {"name": "@README.md", "label": "<x"}),
    "files": Request("POST", "act_1/adimages", {"name": ODD, "at": "@README.md"}, FILES),
    "files alone": Request("POST", "act_1/adimages", files={"a": b"1"}),
    "DELETE": Request("DELETE", "1"),
    "DELETE with a parameter": Request("DELETE", "1/x", {"name": ODD}),
}


def run(command: str, folder: Path, token: str, secret: str = "") -> str:
    """What the command prints, run in `folder` by bash as a person would."""
    known = {"FB_ACCESS_TOKEN": token, "FB_APP_SECRET": secret, "NO_PROXY": "*"}
    done = subprocess.run(  # noqa: S603  # the command that we print
        ["bash", "-c", command],  # noqa: S607  # whichever stands on PATH
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **known},
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def said(heard: Heard, token: str) -> dict[str, Any]:
    """All that matters of a request."""
    return {
        "call": f"{heard.method} {heard.path}",
        "params": heard.params,
        "files": heard.files,
        "is ours": heard.headers["authorization"] == f"Bearer {token}",
        "form": heard.headers.get("content-type", "").partition(";")[0] if heard.body else "",
    }


@pytest.mark.parametrize(
    ("params", "encoded"),
    [
        ({}, {}),
        ({"a": None, "b": "1"}, {"b": "1"}),
        ({"a": ""}, {"a": ""}),
        ({"a": 0, "b": 25}, {"a": "0", "b": "25"}),
        ({"a": True, "b": False}, {"a": "true", "b": "false"}),
        ({"a": 1.5}, {"a": "1.5"}),
        ({"fields": ["id", "name"]}, {"fields": "id,name"}),
        ({"fields": ("id", "campaign{id,name}")}, {"fields": "id,campaign{id,name}"}),
        ({"fields": "id,name"}, {"fields": "id,name"}),
        ({"fields": []}, {}),
        ({"breakdowns": ["age", "gender"]}, {"breakdowns": '["age","gender"]'}),
        ({"breakdowns": []}, {"breakdowns": "[]"}),
        ({"a": {"since": "2026-11-21"}}, {"a": '{"since":"2026-11-21"}'}),
        (
            {"filtering": [{"field": "name", "operator": "IN", "value": ["Größe 東京", 'a"b']}]},
            {"filtering": '[{"field":"name","operator":"IN","value":["Größe 東京","a\\"b"]}]'},
        ),
        ({"name": "Größe & 50% + a=b"}, {"name": "Größe & 50% + a=b"}),
        ({"a": [None, True]}, {"a": "[null,true]"}),
        ({"a": {"since": date(2026, 11, 21)}}, {"a": '{"since":"2026-11-21"}'}),
        ({"a": {"b": None, "c": {"d": None}}}, {"a": '{"c":{}}'}),
        ({"a": [{"b": None, "c": (1, {"d": None})}]}, {"a": '[{"c":[1,{}]}]'}),
    ],
)
def test_parameters_are_written_as_graph_reads_them(
    params: dict[str, Any], encoded: dict[str, str]
) -> None:
    assert encode(params) == encoded


def test_the_fields_of_a_form_are_a_json_list() -> None:
    assert encode({"fields": ("id", "name")}, fields_as_json=True) == {"fields": '["id","name"]'}


@pytest.mark.parametrize("path", ["act_1/insights", "1"])
@pytest.mark.parametrize(
    "value",
    [
        *(float("nan"), float("inf"), [float("-inf")], {"at": datetime(2026, 11, 21)}, {1, 2}),  # noqa: DTZ001  # no zone, on purpose
        *(b"bytes", object(), "half \ud83d of a pair", ["half \ud83d of a pair"]),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else type(value).__name__,
)
def test_a_parameter_that_cannot_be_written_is_named_before_anything_is_sent(
    wire: MakeWire, path: str, value: object
) -> None:
    graph = wire(OK)
    request = Request("POST", path, {"level": "ad", "time_range": value})

    with pytest.raises(RequestError, match="Cannot write the parameter time_range"):
        graph.client.call(request)
    with pytest.raises(RequestError, match="Cannot write the parameter time_range"):
        graph.client.batch([Request("POST", "2", {"name": "x"}), request])

    assert graph.requests == []


def test_fields_that_are_no_names_are_refused() -> None:
    with pytest.raises(RequestError, match="Cannot write the parameter fields"):
        encode({"fields": [1, 2]})


def test_unicode_arrives_as_it_was_given(wire: MakeWire) -> None:
    graph = wire(OK)
    filtering = [{"field": "name", "operator": "CONTAIN", "value": "Größe 東京 😀 & 50% +"}]

    graph.client.get("act_1/ads", {"filtering": filtering})
    graph.client.post("act_1/insights", {"filtering": filtering})

    sent = [heard.params["filtering"] for heard in graph.heard]
    assert [json.loads(text) for text in sent] == [filtering, filtering]


@given(
    value=st.recursive(
        st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abcß", min_size=1), inner),
        max_leaves=5,
    ).filter(lambda value: not isinstance(value, str))
)
def test_what_json_can_say_comes_back_as_it_was(value: object) -> None:
    assert json.loads(encode({"a": value})["a"]) == value


@pytest.mark.parametrize(
    ("request_", "account_id", "use_case", "repeatable"),
    [
        (Request("GET", "act_1"), "1", "ads_management", True),
        (Request("GET", "act_1/insights"), "1", "ads_insights", True),
        (Request("GET", "7/insights", account_id="1"), "1", "ads_insights", True),
        (Request("GET", "act_1x"), "", "ads_management", True),
        (Request("POST", "act_1/campaigns"), "1", "ads_management", False),
        (Request("POST", "act_1/insights", repeatable=True), "1", "ads_insights", True),
        (Request("DELETE", "7", account_id="1"), "1", "ads_management", False),
        (Request("GET", "7", {"fields": POLL_FIELDS}, account_id="1"), "1", "ads_insights", True),
    ],
    ids=str,
)
def test_a_call_says_whose_limits_it_uses_and_whether_it_may_be_repeated(
    request_: Request, account_id: str, use_case: str, *, repeatable: bool
) -> None:
    found = (request_.account_id, request_.use_case, request_.repeatable)

    assert found == (account_id, use_case, repeatable)


def test_the_text_of_a_call_shows_no_content_of_its_files() -> None:
    assert "inside" not in repr(Request("POST", "act_1/adimages", files={"a.png": b"inside"}))


def test_only_a_batch_is_posted_to_the_root() -> None:
    assert check(Request("POST", ROOT), str) == Request("POST", ROOT)
    for method in ("GET", "DELETE"):
        with pytest.raises(RequestError, match="Invalid path"):
            check(Request(method, ROOT), str)


def test_a_token_among_the_parameters_is_refused_without_showing_it(wire: MakeWire) -> None:
    graph = wire(OK)

    with pytest.raises(RequestError, match="Authorization header") as caught:
        graph.client.get("me", {"access_token": "EAAsomebodyElses"})

    assert ("EAAsomebodyElses" in str(caught.value), graph.requests) == (False, [])


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("GET", "me", {"fields": ["{token}"]}),
        ("DELETE", "1", {"note": "of {token}."}),
        ("GET", "debug_token", {"input_token": "of-somebody-else"}),
        ("GET", "oauth/access_token", {"client_secret": "of-an-app"}),
        ("GET", "{token}", {}),
        ("POST", "{token}/adimages", {}),
    ],
)
def test_a_secret_that_would_stand_in_an_address_is_refused(
    wire: MakeWire, method: str, path: str, params: dict[str, Any]
) -> None:
    token = "EAAinventedForTests"  # noqa: S105  # invented; it could be a path
    graph = wire(OK, access_token=token)
    written = json.loads(json.dumps([path, params]).replace("{token}", token))

    with pytest.raises(RequestError, match="holds a secret") as caught:
        graph.client.call(Request(method, *written))

    assert (graph.requests, token in str(caught.value)) == ([], False)


def test_a_secret_may_stand_in_a_form(wire: MakeWire) -> None:
    graph = wire(OK)

    graph.client.post("oauth/access_token", {"client_secret": "of-an-app"})

    assert [heard.params["client_secret"] for heard in graph.heard] == ["of-an-app"]


def test_files_are_paths_bytes_or_open_files(tmp_path: Path) -> None:
    path = tmp_path / "größe.png"
    path.write_bytes(b"1")

    with path.open("rb") as opened:
        named = read_files({"a": path, "b": str(path), "c": b"2", "d": opened, "e": io.BytesIO()})

    assert named == {"a": b"1", "b": b"1", "c": b"2", "d": b"1", "e": b""}


def test_files_that_are_paths_alone_have_their_own_names(tmp_path: Path) -> None:
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        path.write_bytes(path.name.encode())

    both = read_files([paths[0], str(paths[1])])

    assert (both, read_files(str(paths[0])), read_files(())) == (
        {"one.png": b"one.png", "two.png": b"two.png"},
        {"one.png": b"one.png"},
        {},
    )


def test_one_path_need_not_stand_in_a_list(tmp_path: Path) -> None:
    path = tmp_path / "one.png"
    path.write_bytes(b"1")

    assert read_files(path) == {"one.png": b"1"}


def test_two_paths_of_one_name_are_not_one_file(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.png" for folder in ("x", "y")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"1")

    with pytest.raises(RequestError, match=r"same name: a\.png, a\.png"):
        read_files(paths)


def test_a_file_open_as_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1")

    with path.open() as opened, pytest.raises(RequestError, match=r"'rows'.*binary mode"):
        read_files({"rows": opened})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nowhere\.png"):
        read_files([tmp_path / "nowhere.png"])


@needs_curl
@pytest.mark.parametrize("name", CALLS)
def test_curl_makes_the_call_that_the_client_makes(
    listen: Listen, tmp_path: Path, token: str, name: str
) -> None:
    call, server = CALLS[name], listen()
    for file, content in call.files.items():
        (tmp_path / file).write_bytes(content)

    with GraphClient(token, base_url=server.url) as client:
        answer: object = client.call(call)
        printed = run(client.as_curl(call), tmp_path, token)

    by_client, by_curl = (said(heard, token) for heard in server.heard)
    assert (by_curl, json.loads(printed)) == (by_client, answer)


@needs_curl
@needs_openssl
@pytest.mark.parametrize("name", CALLS)
def test_curl_proves_the_secret_that_the_client_proves(
    listen: Listen, tmp_path: Path, token: str, name: str
) -> None:
    call, server = CALLS[name], listen()
    for file, content in call.files.items():
        (tmp_path / file).write_bytes(content)

    with GraphClient(token, app_secret=SECRET, base_url=server.url) as client:
        client.call(call)
        run(client.as_curl(call), tmp_path, token, SECRET)

    params = [heard.params for heard in server.heard]
    assert params[0] == params[1]
    assert params[1]["appsecret_proof"] == appsecret_proof(token, SECRET)


@needs_curl
@needs_openssl
def test_the_sandbox_answers_curl_as_it_answers_the_client(tmp_path: Path) -> None:
    with (
        Sandbox(world="hostile", app_secret=SECRET) as sandbox,
        GraphClient(sandbox.token, app_secret=SECRET, base_url=sandbox.url) as client,
    ):
        account = client.account(sandbox.account_ids[0])
        filtering = [{"field": "effective_status", "operator": "IN", "value": ["PAUSED"]}]
        call = account.request(edge="campaigns", fields=["id", "name"], filtering=filtering)
        printed = run(client.as_curl(call), tmp_path, sandbox.token, SECRET)
        answer: Any = client.call(call)

    found = json.loads(printed)
    assert (found["data"], len(found["data"]) > 0) == (answer["data"], True)


@pytest.mark.parametrize("name", CALLS)
def test_a_command_shows_neither_token_nor_secret_nor_proof(
    wire: MakeWire, token: str, name: str
) -> None:
    graph = wire(OK, app_secret=SECRET)

    command = graph.client.as_curl(CALLS[name])

    shown = [s for s in (token, SECRET, appsecret_proof(token, SECRET)) if s in command]
    assert (shown, "$FB_ACCESS_TOKEN" in command, "$FB_APP_SECRET" in command) == ([], True, True)


def test_a_command_hides_the_token_where_a_caller_put_it(wire: MakeWire, token: str) -> None:
    graph = wire(OK)

    commands = [
        graph.client.as_curl(Request("GET", "debug_token", {"input_token": token})),
        graph.client.as_curl(Request("POST", "1", {"batch": f'[{{"body":"a={token}"}}]'})),
        graph.client.as_curl(Request("GET", token)),
    ]

    assert [command for command in commands if token in command] == []


def test_without_a_client_a_command_is_made_of_a_call_and_an_address() -> None:
    command = as_curl(Request("GET", "me", {"fields": ["id"]}), "https://graph.facebook.com/v26.0/")

    assert command == (
        "curl -G https://graph.facebook.com/v26.0/me"
        ' -H "Authorization: Bearer $FB_ACCESS_TOKEN" --data-urlencode fields=id'
    )


def test_each_call_is_logged_as_a_command_when_that_is_wanted(
    wire: MakeWire, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    graph = wire(OK, app_secret=SECRET)
    call = Request("GET", "me", {"fields": ["id"]})

    graph.client.call(call)
    caplog.set_level(logging.DEBUG, logger="fbgraph.http.connection")
    graph.client.call(call)

    lines = [r.getMessage() for r in caplog.records if r.name == "fbgraph.http.connection"]
    assert (lines, token in str(lines)) == ([graph.client.as_curl(call)], False)
