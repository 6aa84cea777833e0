"""Responses: their JSON, or an error with its class and its parts, whatever the bytes are."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph import errors
from fbgraph.errors import (
    GraphError,
    NotReadyError,
    RequestError,
    RetryableError,
    ThrottledError,
    TooMuchDataError,
)
from fbgraph.http.response import Response, error_of_run, integer, item_headers, parse, text_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

#: name → status, body and class: bodies as they came from Meta, with invented ids.
BODIES: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "bodies" / "errors.json").read_text("utf-8")
)

HTML = (
    b'<!DOCTYPE html><html lang="en" id="facebook"><head><title>Error</title></head><body>'
    b"<h1>Sorry, something went wrong.</h1></body></html>"
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    (
        *("message", "code", "error_subcode", "type", "is_transient", "fbtrace_id", "error_data"),
        *("error_user_title", "error_user_msg", "blame_field", "blame_field_specs"),
    )
)
ERRORS = JSON | st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON) | JSON.map(json.dumps))


def raised(status: int, body: bytes) -> GraphError:
    with pytest.raises(GraphError) as caught:
        parse(status, body)
    return caught.value


def error_of(error: object, status: int = 400) -> GraphError:
    return raised(status, json.dumps({"error": error}).encode())


def outcome(status: int, body: bytes) -> object:
    """What `parse` gives; an error that it raises must be good for everything errors are for."""
    try:
        return parse(status, body)
    except GraphError as error:
        twin = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
        texts = (str(error), repr(error), str(twin))
        return error if all(text.encode() for text in texts) else None


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_was_seen_has_its_class(name: str) -> None:
    fact = BODIES[name]
    body = fact["body"] if isinstance(fact["body"], str) else json.dumps(fact["body"])

    assert type(raised(fact["status"], body.encode())) is getattr(errors, fact["kind"])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, HTML, RetryableError),
        (500, HTML, RetryableError),
        (200, HTML, RetryableError),
        (404, HTML, RetryableError),
        (500, b"", RetryableError),
        (200, b"", RetryableError),
        (200, b" \r\n", RetryableError),
        (302, b"", RequestError),
        (302, HTML, RequestError),
        (307, b'{"id":"1"}', RequestError),
        (200, b"Service Unavailable", RetryableError),
        (200, b'{"data":[{"id":"1"},{"id":', RetryableError),
        (200, b'{"data":[]}{"data":[]}', RetryableError),
        (200, b'{"error":{"message":"Inv', RetryableError),
        (400, b"[" * 100_000, RetryableError),
        (200, b'{"data":' * 100_000, RetryableError),
        (200, b"\xff\xfe\x00", RetryableError),
        (200, b'"just text"', RetryableError),
        (200, b"null", RetryableError),
        (200, b"true", RetryableError),
        (200, b"3.5", RetryableError),
        (200, b"1" * 10_000, RetryableError),
        (500, b'{"message":"no error key"}', RetryableError),
        (503, b"[]", RetryableError),
        (400, b'{"message":"no error key"}', RequestError),
        (404, b'"text"', RequestError),
        (403, b"[]", RequestError),
    ],
)
def test_an_answer_without_an_error_object_is_judged_by_what_is_there(
    status: int, body: bytes, kind: type[GraphError]
) -> None:
    assert type(raised(status, body)) is kind


@pytest.mark.parametrize("depth", [100, *range(900, 1000, 5), 2000])
@pytest.mark.parametrize("opening", ["[", '{"error":'])
def test_deep_nesting_is_an_answer_or_a_graph_error(depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    found = outcome(400, (opening * depth + "1" + closing * depth).encode())

    assert isinstance(found, GraphError)


@pytest.mark.parametrize("error", ["Something broke", ["a", "list"], None, 7, 1.5, True, [], ""])
def test_an_error_that_is_no_object_is_tried_again(error: object) -> None:
    assert type(error_of(error)) is RetryableError


def test_an_error_that_is_text_is_said_as_it_is() -> None:
    assert "Something broke" in str(error_of("Something broke"))


@pytest.mark.parametrize(
    "error",
    [{}, {"code": 190}, {"message": None, "code": 190}, {"message": "", "code": 190}, None],
)
def test_an_error_without_a_message_says_so(error: object) -> None:
    assert "Meta returned an error without a message." in str(error_of(error))


@pytest.mark.parametrize("code", [None, "", "text", [], {}, True, [190], {"code": 190}])
def test_an_error_without_a_code_is_tried_again(code: object) -> None:
    error = error_of({"message": "Something broke", "code": code})

    assert (type(error), error.detail.code) == (RetryableError, None)


def test_an_error_without_a_type_is_read() -> None:
    error = error_of({"message": "Please reduce the amount of data you're asking for", "code": 1})

    assert (type(error), error.detail.type) == (TooMuchDataError, "")


@pytest.mark.parametrize(
    ("error_data", "blamed"),
    [
        ({"blame_field_specs": [["time_range", "since"]]}, ("time_range.since",)),
        ('{"blame_field_specs":[["time_range"]]}', ("time_range",)),
        ({"blame_field_specs": [["a", "b"], ["c"]]}, ("a.b", "c")),
        ({"blame_field_specs": ["a", "b"]}, ("a", "b")),
        ({"blame_field_specs": [["a", 0, None]]}, ("a.0.",)),
        ({"blame_field": "x"}, ("x",)),
        ('{"blame_field":"x"}', ("x",)),
        ({"blame_field": "x", "blame_field_specs": [["y"]]}, ("x", "y")),
        ({"blame_field_specs": "text"}, ()),
        ({"blame_field_specs": None}, ()),
        ({"blame_field_specs": {}}, ()),
        ("null", ()),
        ('"null"', ()),
        ("", ()),
        ("not JSON", ()),
        ("[" * 100_000, ()),
        (None, ()),
        ([["time_range"]], ()),
        (12, ()),
        ({}, ()),
    ],
)
def test_error_data_names_fields_in_whatever_shape_it_comes(
    error_data: object, blamed: tuple[str, ...]
) -> None:
    error = error_of({"message": "Invalid parameter", "code": 100, "error_data": error_data})

    assert error.detail.blamed_fields == blamed


def test_the_parts_of_an_error_are_kept() -> None:
    detail = error_of(
        {
            "message": "(#2) Service temporarily unavailable",
            "type": "OAuthException",
            "code": 2,
            "error_subcode": 1504043,
            "is_transient": True,
            "error_user_title": "Ahora no",
            "error_user_msg": "Inténtalo más tarde",
            "fbtrace_id": "Atrace",
        },
        status=503,
    ).detail

    assert detail == errors.Detail(
        message="(#2) Service temporarily unavailable",
        code=2,
        subcode=1504043,
        title="Ahora no",
        user_message="Inténtalo más tarde",
        type="OAuthException",
        fbtrace_id="Atrace",
        is_transient=True,
        status=503,
        advice=detail.advice,
    )


def test_an_error_next_to_data_is_an_error() -> None:
    assert type(raised(200, b'{"data":[{"id":"1"}],"error":{"code":2601}}')) is NotReadyError


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"data":[]}', {"data": []}),
        (b"[]", []),
        (b'\n{"id":"1"}\n', {"id": "1"}),
        ('{"name":"Größe 東京 😀"}'.encode(), {"name": "Größe 東京 😀"}),
        (b'{"data":[{"error":"a field of a row"}]}', {"data": [{"error": "a field of a row"}]}),
    ],
)
def test_a_good_answer_comes_as_it_is(body: bytes, answer: object) -> None:
    assert parse(200, body) == answer


@pytest.mark.parametrize("text", [r"half an emoji \ud83d", r"\udc00", r"\ud83d\ude00 whole"])
def test_half_an_emoji_in_a_message_can_be_written_to_a_log(text: str) -> None:
    body = '{"error":{"code":100,"message":"TEXT","error_data":{"blame_field":"TEXT"}}}'

    assert str(raised(400, body.replace("TEXT", text).encode())).encode("utf-8")


def test_a_long_answer_is_shown_in_short() -> None:
    assert len(str(raised(502, b"<html>" + b"x" * 1_000_000))) < 400


@given(status=st.integers(100, 599), body=st.binary())
def test_any_bytes_are_an_answer_or_a_graph_error(status: int, body: bytes) -> None:
    assert isinstance(outcome(status, body), dict | list | GraphError)


@given(status=st.integers(100, 599), answer=JSON)
def test_any_json_is_an_answer_or_a_graph_error(status: int, answer: object) -> None:
    assert isinstance(outcome(status, json.dumps(answer).encode()), dict | list | GraphError)


@given(status=st.integers(100, 599), error=ERRORS)
def test_any_error_is_a_graph_error(status: int, error: object) -> None:
    assert isinstance(outcome(status, json.dumps({"error": error}).encode()), GraphError)


@given(
    body=st.dictionaries(
        st.sampled_from(("id", "error_code", "error_subcode", "error_message", "error_user_msg")),
        JSON,
    )
)
def test_any_reason_of_a_failed_run_is_a_graph_error(body: Mapping[str, Any]) -> None:
    assert isinstance(error_of_run(body, "Job Failed"), GraphError)


@pytest.mark.parametrize(
    ("item", "answer"),
    [
        ({"code": 200, "body": '{"id":"1"}'}, {"id": "1"}),
        ({"code": "200", "headers": [], "body": '{"id":"1"}'}, {"id": "1"}),
        ({"code": 200, "body": "[]"}, []),
        ({"code": 200, "body": {"id": "1"}}, {"id": "1"}),
        ({"code": 200, "body": []}, []),
    ],
)
def test_an_item_of_a_batch_holds_an_answer_as_text(item: object, answer: object) -> None:
    assert Response.of_item(item, "GET 1", None, str).json() == answer


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (None, RetryableError),
        ([], RetryableError),
        ("text", RetryableError),
        ({}, RetryableError),
        ({"code": 200}, RetryableError),
        ({"code": 200, "body": None}, RetryableError),
        ({"code": 200, "body": "\ud83d"}, RetryableError),
        ({"code": None, "body": "{"}, RetryableError),
        ({"code": 400, "body": '{"error":{"code":17,"error_subcode":2446079}}'}, ThrottledError),
        ({"code": 404, "body": "{}"}, RequestError),
    ],
)
def test_an_item_of_a_batch_fails_as_a_call_does(item: object, kind: type[GraphError]) -> None:
    with pytest.raises(GraphError) as caught:
        Response.of_item(item, "GET 1", None, str).json()

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("item", "headers"),
    [
        ({"headers": [{"name": "X-App-Usage", "value": "{}"}]}, {"x-app-usage": "{}"}),
        ({"headers": [None, {"name": "A"}, {"value": "b"}]}, {"a": "", "": "b"}),
        *(({}, {}), ({"headers": None}, {}), ({"headers": {"a": "b"}}, {}), (None, {}), ("x", {})),
    ],
)
def test_the_headers_of_an_item_are_found_by_their_names(item: object, headers: object) -> None:
    assert item_headers(item) == headers


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"id": 120210000000012345}, {"id": "120210000000012345"}),
        ({"campaign": {"id": 7, "name": "x"}}, {"campaign": {"id": "7", "name": "x"}}),
        ([{"report_run_id": 9}, {"ad_id": 3}], [{"report_run_id": "9"}, {"ad_id": "3"}]),
        ({"id": "1", "account_status": 1}, {"id": "1", "account_status": 1}),
        ({"is_id": True, "id": None, "ids": [1]}, {"is_id": True, "id": None, "ids": [1]}),
    ],
)
def test_an_id_is_text_however_it_came(value: object, read: object) -> None:
    assert text_ids(value) == read


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((190, 190), ("190", 190), (" -3 ", -3), (190.0, 190), (0, 0)),
        *((None, None), (True, None), ("", None), ("x", None), ([], None), ({}, None)),
        *((float("nan"), None), (float("inf"), None), ("1.5", None)),
    ],
)
def test_a_whole_number_is_read_from_whatever_json_holds(value: object, number: int) -> None:
    assert integer(value) == number
