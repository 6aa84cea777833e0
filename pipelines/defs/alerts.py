"""Alerts: a line in the log and, if FB_ALERT_WEBHOOK is set, a message to that webhook.

The message is the JSON that Slack's incoming webhooks take, ``{"text": …}``; Mattermost,
Rocket.Chat and Discord (with ``/slack`` appended to its address) take it too. Source:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Final

import httpx

from fbgraph.limits.retry import RetryPolicy, retrying
from pipelines.escaping import escaped, escaped_for_chat
from warehouse.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipelines.asset_keys import AssetKeys
    from pipelines.settings import Settings

__all__ = [
    "UndeliveredError",
    "failure_text",
    "is_delivered",
    "link_to",
    "page_line",
    "require_delivered",
    "send_alert",
    "send_all",
]

#: Accounts that one message names, and characters of each reason. The page of the run shows all.
QUOTED: Final = 10
QUOTED_CHARACTERS: Final = 400

TIMEOUT_SECONDS: Final = 10.0

#: A tick begins no further alert after these seconds. One to a webhook that does not respond takes
#: half a minute with its retries, and Dagster gives up a tick that takes a whole one.
SENDING_SECONDS: Final = 15.0

#: An unreachable webhook is tried again; one that may have received the message is not.
WEBHOOK: Final = RetryPolicy(
    (httpx.ConnectError, httpx.ConnectTimeout), 3, first_seconds=0.5, most_seconds=5.0, jitter=0.5
)

_log = logging.getLogger(__name__)


class UndeliveredError(Exception):
    """A webhook did not take an alert, whose text is in the message."""


def send_alert(settings: Settings, text: str) -> bool:
    """Log `text`, and send it to the webhook if there is one; returns whether it was delivered.

    The caller escapes names in it that may hold line breaks.
    """
    for line in text.split("\n"):
        _log.warning("%s", escaped(line))
    return is_delivered(settings, text)


def is_delivered(settings: Settings, text: str) -> bool:
    """Send `text` to the webhook, if there is one. If it fails, that is logged without its address,
    which is a secret.
    """
    if not settings.alert_webhook:
        return False
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            again = retrying(time.sleep, random.random, [WEBHOOK])
            response = again(
                client.post, settings.alert_webhook, json={"text": escaped_for_chat(text)}
            )
            response.raise_for_status()
    except httpx.HTTPStatusError as error:
        _log.error(
            "FB_ALERT_WEBHOOK returned HTTP %d.", error.response.status_code
        )  # its text has the address
        return False
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _log.error("FB_ALERT_WEBHOOK did not respond: %s.", type(error).__name__)  # the same
        return False
    return True


def send_all(
    settings: Settings, texts: Iterable[str], clock: Callable[[], float] = time.monotonic
) -> Sequence[str]:
    """The same as `send_alert` for several; returns those that the next tick has to send again: the
    webhook, if there is one, did not take them, or there was no time for them.
    """
    end = clock() + SENDING_SECONDS
    unsent = [text for text in texts if clock() > end or not send_alert(settings, text)]
    return unsent if settings.alert_webhook else ()


def require_delivered(settings: Settings, text: str) -> None:
    """The same as `send_alert`; raises UndeliveredError if there is a webhook that did not take it:
    then the tick that alerts is red on the page of its sensor, where the text is too.
    """
    if not send_alert(settings, text) and settings.alert_webhook:
        raise UndeliveredError(
            "This alert was not delivered to FB_ALERT_WEBHOOK; the daemon's log says why."
            f" It is not sent again:\n{text}"
        )


def link_to(settings: Settings, *where: str) -> str:
    """The address of something in Dagster, such as ``runs`` and an id."""
    return "/".join((settings.dagster_url.rstrip("/"), *where))


def page_line(settings: Settings, keys: AssetKeys) -> str:
    """The line of an alert that leads to the page to look at: its asset says where the file is."""
    return f"the page overview.html: {link_to(settings, 'assets', *keys('overview').path)}"


def failure_text(
    what: str,
    link: str,
    failed: Mapping[tuple[str, str], str],
    why: str,
    names: Mapping[str, str] | None,
) -> str:
    """The text of the alert about a failed run of `what`: (asset, partition key) → why; `why` the
    run stopped. `names`: ``act_123`` → the name of the account.

    One line for each account and asset: days that fail together fail for one reason.
    """
    days: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (asset, key), reason in failed.items():
        account, _, day = key.partition("|")
        days.setdefault((asset, account), []).append((day, reason))
    lines = [
        _line(asset, _who(account, names or {}), sorted(found))
        for (asset, account), found in days.items()
    ]
    more = [f"and {len(lines) - QUOTED} more"] if len(lines) > QUOTED else []
    shown = [*lines[:QUOTED], *more, *([escaped(why)[:QUOTED_CHARACTERS]] if why else ())]
    return "\n".join([f"fbinsights: {what} failed{_counted(failed)}.", *shown, link])


def _counted(failed: Mapping[tuple[str, str], str]) -> str:
    if not failed:
        return ""
    accounts = len({key.partition("|")[0] for _, key in failed})
    parts, of = counted(len(failed), "partition"), counted(accounts, "account")
    return f" for {parts} of {of}; what was loaded before is unchanged"


def _who(account: str, names: Mapping[str, str]) -> str:
    name = escaped(names.get(account, ""))
    return f"{name} ({account})" if name else account


def _line(asset: str, who: str, days: Sequence[tuple[str, str]]) -> str:
    (first, why), (last, _) = days[0], days[-1]
    span = first if first == last else f"{first} to {last}, {counted(len(days), 'day')}"
    what = " ".join(filter(None, (who, asset, span)))
    return f"{what}: {escaped(why)[:QUOTED_CHARACTERS]}"
