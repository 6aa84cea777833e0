"""Cloud Storage on loopback: its XML API, translated to that of S3, which moto serves.

The two differ in the names of headers, and in conditions: an object has a generation, and a PUT may
depend on it. No emulator that can be had here knows both the XML API and its conditions.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from tests.s3 import S3, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["serving_google"]

#: Requests come without a signature; moto wants one, and reads no more than its form.
SIGNED: Final = (
    "AWS4-HMAC-SHA256 Credential=AKIAINVENTED/20261129/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def _generation(tag: str) -> str:
    return str(int(hashlib.sha256(tag.encode()).hexdigest()[:12], 16) + 1)


class Translation:
    """Requests to Cloud Storage as requests to S3, and answers back."""

    def __init__(self) -> None:
        self._tags: dict[str, str] = {}

    def request(self, environ: dict[str, Any]) -> None:
        environ["HTTP_AUTHORIZATION"] = SIGNED
        for name in {"RAW_URI", "REQUEST_URI"} & environ.keys():  # moto splits before it decodes
            path, mark, query = environ[name].partition("?")
            environ[name] = quote(unquote(path)) + mark + query
        for name in [name for name in environ if name.startswith("HTTP_X_GOOG_META_")]:
            environ[name.replace("GOOG", "AMZ")] = environ.pop(name)
        if source := environ.pop("HTTP_X_GOOG_COPY_SOURCE", None):
            environ["HTTP_X_AMZ_COPY_SOURCE"] = source
        wanted = environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None)
        if wanted == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        elif wanted:
            environ["HTTP_IF_MATCH"] = self._tags[wanted]

    def headers(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        tags = [value for name, value in headers if name.lower() == "etag"]
        for tag in tags:
            self._tags[_generation(tag)] = tag
        return [
            *((name.lower().replace("x-amz-", "x-goog-"), value) for name, value in headers),
            *(("x-goog-generation", _generation(tag)) for tag in tags),
        ]


@contextmanager
def serving_google(folder: Path) -> Iterator[tuple[S3, Mapping[str, str]]]:
    """Serve it while the block runs; the server, and the environment that points at it."""
    with serving(translation=Translation()) as server:
        key_file = folder / "service_account.json"
        fields = ("client_email", "private_key", "private_key_id")
        settings = {"gcs_base_url": server.url, "disable_oauth": True, **dict.fromkeys(fields, "")}
        key_file.write_text(json.dumps(settings), encoding="utf-8")
        yield server, {"GOOGLE_SERVICE_ACCOUNT": str(key_file), "AWS_MAX_ATTEMPTS": "1"}
