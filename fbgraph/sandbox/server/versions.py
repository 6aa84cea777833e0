"""Which version serves a call. Source: Graph API, Versioning; docs/graph-api.md#versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fbgraph.catalog.versions import newest, next_living, number, version_of
from fbgraph.sandbox.protocol.refusals import refused

if TYPE_CHECKING:
    from datetime import date

    from fbgraph.sandbox.protocol.messages import ServerRequest

__all__ = ["served_version"]

#: What is not an ads endpoint is served longer. Source: Graph API, Platform versioning.
NOT_ADS: Final = frozenset({("me",), ("debug_token",)})


def served_version(request: ServerRequest, on: date, *, upgrade: bool) -> str:
    """The version that serves a call on a day. One that has ended is refused, or upgraded to the
    next that lives where the app may.
    """
    version, latest = request.version, newest(on)
    if request.method == "POST" and not version and not request.parts:
        return latest  # a batch may go to the bare host
    try:
        requested = number(version)
    except ValueError:  # unversioned: the app's oldest one, which has ended
        raise refused("version", latest=latest) from None
    if requested > number(latest):
        raise refused("unknown_path", path=version)
    known = version_of(version)
    if known and (known.serves_graph(on) if request.parts in NOT_ADS else known.serves_ads(on)):
        return version
    if not upgrade:
        raise refused("version", latest=latest)
    return next_living(version, on)
