"""One request before it is sent: as a client sends it, as an item of a batch, as a curl command."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote_plus, urlencode

from fbgraph.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fbgraph.http.paging import Params

    File = bytes | str | os.PathLike[str] | BinaryIO
    AnyPath = str | os.PathLike[str]
    #: Files by the name of their part, or paths, whose parts are named as the files.
    Files = Mapping[str, File] | Iterable[AnyPath] | AnyPath

__all__ = ["ROOT", "Request", "as_curl", "check", "check_address", "encode", "read_files"]

#: What may follow the version: names and ids. No host to send the token to, no dots to climb by, no
#: query.
_PATH: Final = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)

#: Batches are posted to the version itself.
ROOT: Final = "/"

#: The items of a batch mostly repeat their fields, which Python quotes letter by letter.
_quoted: Final = lru_cache(maxsize=256)(quote_plus)

#: The account that a path begins with.
_ACCOUNT: Final = re.compile(r"act_(\d+)(?:/|$)", re.ASCII)

#: How curl makes the proof of the app's secret from the environment. Source: Securing requests.
_CURL_PROOF: Final = (
    '--data-urlencode "appsecret_proof=$(printf %s "$FB_ACCESS_TOKEN"'
    ' | openssl dgst -sha256 -hmac "$FB_APP_SECRET" -r | cut -c 1-64)"'
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a `path` of nodes and edges.

    `account_id` (digits) says whose limits it counts against where the path does not, as with a
    report run. `repeatable`: whether sending it twice does no harm. A GET always is; of writes,
    only the creation of a report run.
    """

    method: str
    path: str
    params: Params = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    account_id: str = ""
    repeatable: bool = False

    def __post_init__(self) -> None:
        found = _ACCOUNT.match(self.path)
        if found:
            object.__setattr__(self, "account_id", found[1])
        if self.method == "GET":
            object.__setattr__(self, "repeatable", True)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def use_case(self) -> str:
        """The limit, next to the general ones, that it counts against. Source: Graph, Rate limits.

        Polls of report runs count as insights do (docs/graph-api.md#report-runs): they are
        recognized by their fields.
        """
        is_poll = "async_status" in (self.params.get("fields") or ())
        is_insights = is_poll or self.path.rpartition("/")[2] == "insights"
        return "ads_insights" if is_insights else "ads_management"

    @property
    def encoded(self) -> Mapping[str, str]:
        """The parameters as they go into the query of a GET or DELETE, or the form of a POST."""
        return encode(self.params, fields_as_json=self.method == "POST")

    def item(self, proof: str | None = None) -> dict[str, str]:
        """This request as an item of a batch. Source: Graph API, Batch requests."""
        encoded = {**self.encoded, **({"appsecret_proof": proof} if proof else {})}
        form = urlencode(encoded, quote_via=_quoted)
        if self.method == "POST":
            item = {"method": "POST", "relative_url": self.path, "body": form}
        else:
            url = f"{self.path}?{form}" if form else self.path
            item = {"method": self.method, "relative_url": url}
        return {**item, "attached_files": ",".join(self.files)} if self.files else item


def check(request: Request, hide: Callable[[str], str]) -> Request:
    """`request`, if it may be sent. Raises RequestError for a malformed path, for a token among the
    parameters, which would end up in logs, and for a parameter that cannot be encoded.
    """
    if not _PATH.fullmatch(request.path) and (request.method, request.path) != ("POST", ROOT):
        raise RequestError(
            f"Invalid path {hide(request.path)!r}: expected ids and names separated by /, such as"
            " act_123/campaigns."
        )
    if "access_token" in request.params:
        raise RequestError(
            "Do not pass access_token as a parameter; the client sends it in the Authorization"
            " header."
        )
    encode(request.params)
    return request


def check_address(request: Request, hide: Callable[[str], str]) -> None:
    """Raise RequestError for a secret that would be in the URL: httpx and servers log it."""
    if hide(request.path) != request.path:
        raise RequestError("The path holds a secret, and URLs are logged. Remove it.")
    for name, text in request.encoded.items() if request.method != "POST" else ():
        if hide(raw := f"{name}={text}") != raw:
            raise RequestError(
                f"The parameter {name} holds a secret that would be in the URL, and URLs are"
                " logged. Send it with `post`, or in a `batch`."
            )


def encode(params: Params, *, fields_as_json: bool = False) -> dict[str, str]:
    """Parameters as Graph reads them: None left out, lists and mappings as strict JSON.

    `fields` are comma text in a URL and a JSON list in the form of a POST
    (docs/graph-api.md#requests). An empty list of them is left out: it means the default ones.
    Raises RequestError for a value that JSON or UTF-8 cannot represent.
    """
    given = {k: v for k, v in params.items() if v is not None and (v or k != "fields")}
    commas = not fields_as_json
    return {k: _written(k, v, commas=commas and k == "fields") for k, v in given.items()}


def _written(name: str, value: Any, *, commas: bool) -> str:
    try:
        text = value if isinstance(value, str) else ",".join(value) if commas else _as_json(value)
        text.encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"Cannot write the parameter {name} as JSON: {error}.") from None
    return text


def _as_json(value: Any) -> str:
    """A date as Graph writes days: 2026-11-21."""
    return json.dumps(
        _without_none(value),
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_day,
    )


def _day(value: object) -> str:
    if type(value) is date:
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def _without_none(value: Any) -> Any:
    """A mapping without the entries that are None, at any depth; a list keeps its places."""
    if isinstance(value, Mapping):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list | tuple) else value


def read_files(files: Files) -> Mapping[str, bytes]:
    """Files by the name of their part. Each is bytes, a path or an open binary file.

    They are read now, so that a retry sends them whole. Raises OSError for a path that cannot be
    read, RequestError for a file that is open as text and for two of one name.
    """
    if isinstance(files, Mapping):
        return {name: _content(name, file) for name, file in files.items()}
    paths = [Path(path) for path in ([files] if isinstance(files, str | os.PathLike) else files)]
    named = {path.name: path.read_bytes() for path in paths}
    if len(named) < len(paths):
        names = ", ".join(path.name for path in paths)
        raise RequestError(f"Two files have the same name: {names}. Pass them as name: path pairs.")
    return named


def _content(name: str, file: File) -> bytes:
    if isinstance(file, str | os.PathLike):
        return Path(file).read_bytes()
    content = file if isinstance(file, bytes) else file.read()
    if not isinstance(content, bytes):
        raise RequestError(f"The file {name!r} is open in text mode. Open it in binary mode.")
    return content


def as_curl(
    request: Request, root_url: str, *, proof: bool = False, hide: Callable[[str], str] = str
) -> str:
    """A command that sends the same with $FB_ACCESS_TOKEN, and $FB_APP_SECRET if `proof`."""
    url = root_url.rstrip("/") + "/" + request.path.lstrip("/")
    given = [f"{name}={value}" for name, value in request.encoded.items()]
    parts = ["curl", *({"GET": ["-G"], "POST": []}.get(request.method, ["-G -X", request.method]))]
    parts += [shlex.quote(hide(url)), '-H "Authorization: Bearer $FB_ACCESS_TOKEN"']
    # A part of a form that begins with @ names a file, so plain values go by --form-string.
    option = "--form-string" if request.files else "--data-urlencode"
    parts += [f"{option} {shlex.quote(hide(text))}" for text in given]
    parts += [f"-F {shlex.quote(f'{name}=@{_curl_file(name)}')}" for name in request.files]
    if proof:
        parts.append(_CURL_PROOF.replace("--data-urlencode", option))
    bare_post = request.method == "POST" and not given and not request.files and not proof
    return " ".join([*parts, "-d ''"] if bare_post else parts)


def _curl_file(name: str) -> str:
    """A file's name as curl reads it: a comma or semicolon would end it, were it not quoted."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"' if re.search(r"[,;\"\\]", name) else name
