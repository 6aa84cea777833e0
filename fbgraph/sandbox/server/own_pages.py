"""The sandbox's own pages, under ``/_sandbox``: what it serves is the truth, and how it misbehaves.

Each gets the platform, the request and its body, and returns JSON. KeyError names a parameter that
is missing or an object that does not exist, ValueError says what is wrong.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.endpoints.writing import change
from fbgraph.sandbox.protocol.messages import read_form
from fbgraph.sandbox.scenarios.catalog import SCENARIOS
from fbgraph.sandbox.server.bodies import read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from fbgraph.sandbox.state.platform import Platform

__all__ = ["OWN_PAGES"]


def _truth(platform: Platform, request: Request, _: bytes) -> Any:
    given = request.query_params
    requested = given.get("breakdowns")
    breakdowns = None if requested is None else tuple(word for word in requested.split(",") if word)
    at = _moment(given["at"]) if "at" in given else None
    return platform.truth(given["account_id"], date.fromisoformat(given["date"]), breakdowns, at)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"at must have an offset, such as {text}Z.")
    return found.astimezone(UTC)


def _calls(platform: Platform, request: Request, _: bytes) -> Any:
    if request.method == "DELETE":
        platform.forget()
    return platform.served()


def _world(platform: Platform, _: Request, __: bytes) -> Any:
    return platform.describe_world()


def _seed(platform: Platform, _: Request, __: bytes) -> Any:
    return {"seed": platform.world.seed, "world": platform.world.plan.name}


def _scenario(platform: Platform, request: Request, body: bytes) -> Any:
    """GET lists what there is; POST turns on exactly those named; DELETE turns all off."""
    if request.method == "POST":
        platform.use(_names(request, body))
    elif request.method == "DELETE":
        platform.use(())
    known = {
        name: {"does": s.does, "source": s.source, "strength": s.strength}
        for name, s in SCENARIOS.items()
    }
    return {"active": list(platform.active.names), "scenarios": known}


def _token(platform: Platform, request: Request, body: bytes) -> Any:
    """POST makes a token; DELETE revokes the one that ``access_token`` names."""
    given = _given(request, body)
    if request.method == "DELETE":
        platform.tokens.revoke(given["access_token"])
        return {"success": True}
    accounts = _words(given["accounts"]) if "accounts" in given else None
    scopes = _words(given.get("scopes", "ads_read"))
    expires = given.get("expires_at", "0")
    kind = given.get("kind", "USER")
    return {"access_token": platform.make_token(scopes, accounts, int(expires), kind)}


def _change(platform: Platform, request: Request, body: bytes) -> Any:
    """POST changes the object ``id`` as `Sandbox.change` does."""
    given = dict(_given(request, body))
    change(platform, given.pop("id"), given)
    return {"success": True}


def _given(request: Request, body: bytes) -> Mapping[str, str]:
    return {**read_form(request.url.query), **read_fields(request, body)}


def _names(request: Request, body: bytes) -> list[str]:
    """``names`` or ``name``."""
    given = _given(request, body)
    return _words(given.get("names", given.get("name", "")))


def _words(text: str) -> list[str]:
    """Comma text or a JSON list."""
    found = json.loads(text) if text.startswith("[") else text.split(",")
    return [word.strip() for word in found if word.strip()]


#: The last part of the path → what answers it.
OWN_PAGES: Final[Mapping[str, Callable[[Platform, Request, bytes], Any]]] = {
    "truth": _truth,
    "calls": _calls,
    "world": _world,
    "seed": _seed,
    "scenario": _scenario,
    "token": _token,
    "change": _change,
}
