"""Names that advertisers could write, to try everything that shows them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fbgraph.sandbox.protocol.messages import compact

if TYPE_CHECKING:
    from fbgraph.sandbox.faults.hooks import Fault
    from fbgraph.sandbox.protocol.messages import ServerRequest, ServerResponse
    from fbgraph.sandbox.world.context import RequestContext

__all__ = ["EVIL", "rename"]

#: A mention of everybody, a control sequence of a terminal, text that runs backwards, a second
#: line, a picture and a tag.
EVIL: Final = "<!channel> @everyone \x9b2J\x1b[2J\u202eevil\nline | ![x](http://x.invalid) <b>"

_NAMES: Final = re.compile(rb'"((?:account_|campaign_|adset_|ad_)?name)":"')


def rename(
    _: Fault, response: ServerResponse, __: ServerRequest, ___: RequestContext
) -> ServerResponse:
    """Every name begins with `EVIL`."""
    inside = compact(EVIL)[1:-1]
    renamed = _NAMES.sub(lambda found: found[0] + inside + b" ", response.body)
    return replace(response, body=renamed)
