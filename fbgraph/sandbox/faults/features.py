"""What accounts have enabled of the features that they must enable first, and who may read it.

Source: Marketing API, Feature Settings API, 2026-09-19; Out-of-cycle changes 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.protocol.messages import ServerRequest
    from fbgraph.sandbox.world.context import RequestContext

__all__ = ["enable_in_turn", "enable_nothing", "forbid_in_turn", "miss_settings"]

#: The turns of `enable_in_turn`: for all days, since a day, nothing, and nothing that may be read.
TURNS: Final = 4
_SINCE: Final = 1
_FORBIDDEN: Final = 3


def enable_nothing(_: Fault, __: Mapping[str, str], ___: int) -> Mapping[str, str]:
    """No account has opted in to anything."""
    return {}


def enable_in_turn(fault: Fault, features: Mapping[str, str], at: int) -> Mapping[str, str]:
    """The first account has every feature, the next since a day, the next two have none."""
    turn = at % TURNS
    if turn == _SINCE:
        return dict.fromkeys(features, fault.word)
    return features if turn < _SINCE else {}


def forbid_in_turn(_: Fault, request: ServerRequest, context: RequestContext) -> None:
    """Settings of the last account of each turn may not be read."""
    turns = range(_FORBIDDEN, len(context.world.accounts), TURNS)
    if _asks(request) and any(context.is_account(at) for at in turns):
        raise refused("no_permission")


def miss_settings(_: Fault, request: ServerRequest, __: RequestContext) -> None:
    """The path does not exist on this host: Meta's page has the settings on another one."""
    if _asks(request):
        raise refused("unknown_path", path="/".join(request.parts[1:]))


def _asks(request: ServerRequest) -> bool:
    return request.parts[1:] == ("insights", "feature-settings")
