"""Handlers that create, change and delete objects.

Nothing is written unless the whole call is right. Sources: reference pages of the objects; Object
status guide; docs/graph-api.md#writes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox.endpoints.activities import seeds_in
from fbgraph.sandbox.endpoints.reading import described
from fbgraph.sandbox.objects.fields import (
    check_fields,
    field_value,
    fields_of,
    least_budget,
    time_text,
)
from fbgraph.sandbox.objects.writable import BY_HAND, WRITABLE, is_validation, read_written
from fbgraph.sandbox.protocol.errors import RefusedError
from fbgraph.sandbox.protocol.expansion import read_fields
from fbgraph.sandbox.protocol.messages import compact
from fbgraph.sandbox.protocol.params import check_names
from fbgraph.sandbox.protocol.refusals import refused
from fbgraph.sandbox.world.activities import Actor, created, person, written
from fbgraph.sandbox.world.advertisers.plan import Part
from fbgraph.sandbox.world.nodes import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.state.platform import Platform
    from fbgraph.sandbox.world.nodes import WorldNode
    from fbgraph.sandbox.world.tree import World

__all__ = ["CREATES", "change", "create", "delete", "update"]

#: Edge of an account → level of what is made there.
CREATES: Final[Mapping[str, str]] = {
    "campaigns": "campaign",
    "adsets": "adset",
    "ads": "ad",
    "adcreatives": "creative",
    "adlabels": "label",
}

#: level → the parameter that names the parent; all others are under the account.
PARENTS: Final[Mapping[str, str]] = {"adset": "campaign_id", "ad": "adset_id"}

#: level → what its purpose is called there.
PURPOSES: Final[Mapping[str, str]] = {"campaign": "objective", "adset": "optimization_goal"}

BUDGETS: Final = ("daily_budget", "lifetime_budget")

#: Writes of nothing but these leave a campaign's ``updated_time`` alone. Source:
#: docs/graph-api.md#writes.
UNNOTICED: Final = frozenset({*BUDGETS, "spend_cap"})

#: What a creative can be made of. Source: Ad creative; which one is needed is our choice.
MADE_OF: Final = frozenset(
    """
    asset_feed_spec image_hash image_url object_id object_story_id object_story_spec product_set_id
    source_instagram_media_id template_url video_id
    """.split()
)

#: What writes through the API are done with.
OURS: Final = ("123456789012345", "A Tool of Ours")

SUCCESS: Final = {"success": True}


def create(platform: Platform, request: ServerRequest, account: WorldNode) -> bytes:
    """``POST act_X/{edge}``: the new id, with the fields that were asked for."""
    token = platform.tokens.of(request)
    token.need("ads_management")
    level = CREATES[request.parts[1]]
    check_fields(level, read_fields(request.params), token.scopes)
    known = WRITABLE[level]
    given = read_written(request.params, {**known.checks, **known.birth}, known.required)
    parent = _parent(platform.world, account, level, given)
    _check(platform, account, level, given)
    if level == "creative" and not MADE_OF & given.keys():
        raise refused("missing", name="object_story_spec")
    _check_budgets(level, given, parent, platform.now(), is_new=True)
    if is_validation(request.params):
        return compact(SUCCESS)
    # An ad set or ad without a status runs: our choice, Meta does not say.
    part = Part(level, given.get("name", ""), given.get("status", "ACTIVE"))
    made = platform.world.make(parent, part, platform.now())
    if level in PURPOSES:
        # Where ad sets hold the budgets nothing remains of the campaign's
        # (docs/graph-api.md#money).
        made.values["budget_remaining"] = "0"
    _store(made, given)
    platform.world.log.extend(created(made, Actor(token.user_id, "", *OURS)))
    return compact(described(platform, request, made))


def update(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """``POST {id}``."""
    token = platform.tokens.of(request)
    token.need("ads_management")
    if node.level not in WRITABLE:
        raise refused("unknown_object", method="post", id=request.parts[0])
    check_fields(node.level, read_fields(request.params), token.scopes)
    given = read_written(request.params, WRITABLE[node.level].checks)
    _check_change(platform, node, given)
    if not is_validation(request.params):
        _write(platform, node, given, Actor(token.user_id, "", *OURS))
    if not request.params.get("fields"):
        return compact(SUCCESS)
    return compact({**SUCCESS, **described(platform, request, node)})


def delete(platform: Platform, request: ServerRequest, node: WorldNode) -> bytes:
    """``DELETE {id}``; ``DELETE act_X/adimages`` names an image by its hash."""
    token = platform.tokens.of(request)
    token.need("ads_management")
    image = request.parts[1:] == ("adimages",)
    check_names(request.params, {"hash"} if image else ())
    if image:
        node = _image(platform, node, request.params.get("hash", ""))
    if node.level in ("account", "business"):
        raise refused("unknown_object", method="delete", id=request.parts[0])
    _check_change(platform, node, {"status": "DELETED"})
    _write(platform, node, {"status": "DELETED"}, Actor(token.user_id, "", *OURS))
    return compact(SUCCESS)


def change(platform: Platform, node_id: str, params: Mapping[str, str]) -> None:
    """A change by the test's own hand, which asks for no token and can do more than a call.

    KeyError for an unknown object, ValueError for what is refused.
    """
    node = platform.world.nodes.get(node_id) or platform.world.find(node_id)
    if node is None:
        raise KeyError(node_id)
    try:
        with platform.lock:
            _change(platform, node, params)
    except RefusedError as error:
        refusal = error.refusal
        raise ValueError(refusal.text or refusal.message) from error


def _change(platform: Platform, node: WorldNode, params: Mapping[str, str]) -> None:
    if node.level not in WRITABLE:
        raise refused("unknown_object", method="post", id=node.id)
    checks = {**WRITABLE[node.level].checks, **BY_HAND.get(node.level, {})}
    given = read_written(params, checks)
    owners = {name: value for name, value in given.items() if name != "review"}
    if owners:
        _check_change(platform, node, owners)
    if given.get("review") == "NONE":
        given["review"] = None
    _write(platform, node, {**given, **owners}, person(node.account, 0))


def _write(platform: Platform, node: WorldNode, given: Mapping[str, Any], by: Actor) -> None:
    now = platform.now()
    if "account" in node.line:
        seeds_in(platform, node.account)
    before = {name: field_value(node, name, now) for name in given}
    _store(node, given)
    if node.level == "account" and "amount_spent" in given:
        platform.restart_counter(node, int(given["amount_spent"]))
    platform.world.log.extend(written(node, now.replace(microsecond=0), by, before, given))
    unnoticed = node.level == "campaign" and given.keys() <= UNNOTICED
    platform.world.propagate_status(node, None if unnoticed else now)


def _store(node: WorldNode, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name in ("name", "status", "review"):
            setattr(node, name, value)
        elif name == PURPOSES.get(node.level):
            node.purpose = value
        elif name in fields_of(node.level):
            node.values[name] = time_text(value, node) if isinstance(value, datetime) else value
        if name in BUDGETS:
            node.values["budget_remaining"] = value


def _parent(world: World, account: WorldNode, level: str, given: dict[str, Any]) -> WorldNode:
    """Under which the new object comes; its id is taken out of what is given."""
    name = PARENTS.get(level)
    if name is None:
        return account
    found = world.find(str(given.pop(name)))
    if found is None or found.level != name.removesuffix("_id") or found.account is not account:
        raise refused("bad_value", name=name, why=f"There is no such object in act_{account.id}.")
    if found.effective_status in HIDDEN:
        raise refused("frozen", name=name)
    return found


def _check_change(platform: Platform, node: WorldNode, given: dict[str, Any]) -> None:
    _check_frozen(node, given)
    _check(platform, node.account, node.level, given)
    _check_budgets(node.level, given, node.parent or node, platform.now(), is_new=False)


def _check_frozen(node: WorldNode, given: Mapping[str, Any]) -> None:
    """Archived objects can be renamed and deleted, deleted ones nothing at all."""
    state = node.effective_status
    harmless = given.keys() <= {"name", "status"} and given.get("status", state) in HIDDEN
    if state == "DELETED" or (state == "ARCHIVED" and not harmless):
        raise refused("frozen", name=next(iter(given), "id"))


def _check(platform: Platform, account: WorldNode, level: str, given: dict[str, Any]) -> None:
    """What one parameter alone cannot show."""
    if level == "ad" and "creative" in given:
        _check_creative(platform, account, given)
    if level == "creative" and "image_hash" in given:
        _image(platform, account, given["image_hash"])


def _check_creative(platform: Platform, account: WorldNode, given: dict[str, Any]) -> None:
    """An ad names a creative of its account as ``creative_id`` or ``id``."""
    spec = given["creative"]
    if not {"creative_id", "id"} & spec.keys():
        raise refused("not_imitated", what="a creative that is made with its ad")
    wanted = str(spec.get("creative_id", spec.get("id")))
    found = platform.world.find(wanted)
    if found is None or found.level != "creative" or found.account is not account:
        why = f"There is no creative {wanted} in act_{account.id}."
        raise refused("bad_value", name="creative", why=why)
    given["creative"] = {"id": found.id}


def _image(platform: Platform, account: WorldNode, digest: str) -> WorldNode:
    """The image of an account by its hash, if it is still there."""
    for image in platform.world.images(account):
        if image.values["hash"] == digest and image.status != "DELETED":
            return image
    why = f"There is no image {digest} in act_{account.id}."
    raise refused("bad_value", name="hash", why=why)


def _check_budgets(
    level: str, given: Mapping[str, Any], parent: WorldNode, now: datetime, *, is_new: bool
) -> None:
    """Who may hold a budget, and how much it must be. Codes: Ad set, Campaign; public issues."""
    named = [name for name in BUDGETS if name in given]
    for name in named:
        if int(given[name]) < (least := least_budget(parent)):
            raise refused("low_budget", name=name, least=str(least))
    if len(named) > 1:
        raise refused("bad_value", name=named[1], why="One of the two budgets must go.")
    if level == "campaign" and is_new and not named:
        # Since v24; older versions are not served.
        if "is_adset_budget_sharing_enabled" not in given:
            raise refused("budget_sharing", name="is_adset_budget_sharing_enabled")
    elif level == "adset":
        above = any(field_value(parent, name, now) not in (None, "0") for name in BUDGETS)
        if above and named:
            raise refused("two_budgets", name=named[0])
        if is_new and not above and not named:
            raise refused("missing", name="daily_budget")
