"""Several calls in one: each item goes through the same handlers and has its own answer.

Items that refer to each other (``depends_on``, ``{result=…}``) and files are not imitated. Sources:
Graph API, Batch requests; contract §9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.call import Call, compact, read_form
from fbgraph.sandbox.params import check_names, json_value
from fbgraph.sandbox.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fbgraph.sandbox.call import Answer

__all__ = ["run"]

MOST_ITEMS: Final = 50


def run(call: Call, number: Callable[[], int], respond: Callable[[Call], Answer]) -> bytes:
    """Answer every item in its order."""
    check_names(call.params, {"batch"})
    items = json_value(call.params, "batch", list)
    if len(items) > MOST_ITEMS:
        raise refused("batch_too_long")
    with_headers = call.params.get("include_headers", "true") not in ("false", "0")
    answers = [respond(_item(call, item, number())) for item in items]
    return compact([_written(answer, with_headers=with_headers) for answer in answers])


def _item(outer: Call, item: Any, number: int) -> Call:
    if not isinstance(item, dict) or not {"method", "relative_url"} <= set(item):
        raise refused("bad_type", name="batch", wanted="a list of objects with relative_url")
    if "depends_on" in item or "{result=" in str(item):
        raise refused("not_imitated", what="batch items that depend on others")
    path, _, query = str(item["relative_url"]).lstrip("/").partition("?")
    first, _, rest = path.partition("/")
    version, path = (first, rest) if first[:1] == "v" and "." in first else (outer.version, path)
    params = {**read_form(query), **read_form(str(item.get("body", "")))}
    params.setdefault("access_token", outer.token or "")
    for name in ("appsecret_proof", "appsecret_time"):
        if name in outer.params:
            params.setdefault(name, outer.params[name])
    return Call(
        method=str(item["method"]).upper(),
        version=version,
        path=path.strip("/"),
        params=params,
        base_url=outer.base_url,
        number=number,
    )


def _written(answer: Answer, *, with_headers: bool) -> Mapping[str, Any]:
    written: dict[str, Any] = {"code": answer.status}
    if with_headers:
        written["headers"] = [{"name": k, "value": v} for k, v in answer.headers.items()]
    return {**written, "body": answer.body.decode()}
