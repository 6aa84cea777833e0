"""Text of others where it is shown: names come from advertisers, reasons from Meta.

It stays on its line and as it is, moves no cursor, turns no text around, calls nobody in a chat,
and is neither a link nor a picture on a page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["escaped", "escaped_for_chat", "escaped_for_markdown"]


def _unsafe() -> Iterator[tuple[int, str]]:
    """What would break a line, move the cursor or turn text around."""
    for code in (*range(32), 127, *range(128, 160)):
        yield code, f"\\x{code:02x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)):
        yield code, f"\\u{code:04x}"
    yield from {9: "\\t", 10: "\\n", 13: "\\r"}.items()


#: Character → its backslash escape.
_ESCAPES: Final = dict(_unsafe())

#: What Slack gives a meaning to. Source: Slack, "Formatting text for app surfaces".
_CHAT: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}

#: Words by which Slack, Mattermost, Rocket.Chat and Discord call everybody, without their @.
_EVERYBODY: Final = re.compile(r"@(?=(?:all|channel|everyone|here)\b)", re.IGNORECASE)

#: What Markdown or HTML gives a meaning to. Source: CommonMark, "Backslash escapes".
_MARKDOWN: Final = {ord(mark): f"\\{mark}" for mark in "\\`*_[]<>|&~!#"}


def escaped(text: str) -> str:
    """Text that stays on its line."""
    return text.translate(_ESCAPES)


def escaped_for_chat(text: str) -> str:
    """Lines for a chat, in which nothing is a mention, a link or an address of everybody."""
    lines = (escaped(line).translate(_CHAT) for line in text.split("\n"))
    return _EVERYBODY.sub("(at)", "\n".join(lines))


def escaped_for_markdown(text: str) -> str:
    """A line of Markdown that is shown as it is."""
    return escaped(text).translate(_MARKDOWN)
