"""An S3 server on loopback, and an environment that points at it: moto's, over a real socket."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["S3", "SECRET", "serving"]

SECRET: Final = "wJalrXUtnFEMI-not-for-anyone"  # noqa: S105  # invented

CONDITIONS: Final = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")


class Translation(Protocol):
    """Makes a request one of S3, and the headers of the answer those of another store."""

    def request(self, environ: dict[str, Any]) -> None: ...

    def headers(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]: ...


class S3:
    """A server that runs, and buckets in it. `asked`: method and path of each request.

    PUTs of paths that hold a text of `refused` are refused, and GETs of those that hold one of
    `hidden`. `midway` is called once, when some of the body of a PUT has come; the rest is lost.
    The first GET of a path in `cut` gets half of its body. The first PUT of one in `conflicts` with
    a condition is told that another is under way.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, str]] = []
        self.refused: set[str] = set()
        self.hidden: set[str] = set()
        self.midway: Callable[[], None] | None = None
        self.cut: set[str] = set()
        self.conflicts: set[str] = set()
        self.environ: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "AKIAINVENTED",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def new_bucket(self) -> str:
        name = f"bucket-{uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str) -> Mapping[str, bytes]:
        """All that is in a bucket, by key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        get = self.client.get_object
        return {key: get(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def uploads(self, bucket: str) -> list[str]:
        """Keys of uploads that are not finished."""
        found = self.client.list_multipart_uploads(Bucket=bucket)
        return [upload["Key"] for upload in found.get("Uploads", ())]


@contextmanager
def serving(*, conditions: bool = True, translation: Translation | None = None) -> Iterator[S3]:
    """Serve S3 while the block runs; without `conditions` it heeds none, as older stores do. With a
    `translation` it speaks as another store.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        served.asked.append((method, path))
        denied = {"PUT": served.refused, "GET": served.hidden}.get(method, ())
        if any(text in path for text in denied):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
        if path in served.conflicts and any(name in environ for name in CONDITIONS):
            served.conflicts.remove(path)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("409 Conflict", [("Content-Type", "application/xml")])
            return [b"<Error><Code>ConditionalRequestConflict</Code><Message>No</Message></Error>"]
        if method == "PUT" and served.midway:
            environ["wsgi.input"].read(65536)
            served.midway()
            served.midway = None
            start_response("400 Bad Request", [])
            return []
        if method == "PUT" and not conditions:
            for name in CONDITIONS:
                environ.pop(name, None)

        def translated(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, translation.headers(headers), *more)  # type: ignore[union-attr]  # there

        with one_at_a_time:  # moto looks, writes and reads in several steps; S3 in one
            if translation:
                translation.request(environ)
            body = moto(environ, translated if translation else start_response)
        if method == "GET" and path in served.cut:
            served.cut.remove(path)
            [whole] = body
            return [whole[: len(whole) // 2]]
        return body

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    served = S3(f"http://127.0.0.1:{server.server_port}")
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
