"""Names and reasons where they are shown: terminal, chat, Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbgraph.sandbox.faults.names import EVIL
from pipelines.asset_keys import AssetKeys
from pipelines.defs.event_log.metadata import LoadContext
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.escaping import escaped, escaped_for_chat, escaped_for_markdown
from tests.pipelines.defs.test_alerts import sensor_tick
from tests.runs import run_job
from tests.webhook import Receiver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import dagster as dg

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

#: Control characters but the line break, and what turns text around.
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@given(st.text())
def test_text_stays_on_its_line_and_leaves_the_terminal_alone(text: str) -> None:
    shown = escaped(text)

    assert not RAW.search(shown)
    assert "\n" not in shown


@given(st.text(st.sampled_from("<>&!@ channeleveryonehereall|\n\x9b")))
def test_a_chat_is_told_of_nobody(text: str) -> None:
    shown = escaped_for_chat(text)

    assert not re.search(r"[<>]|@(channel|everyone|here|all)\b|&(?!amp;|lt;|gt;)", shown)
    assert not RAW.search(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b\nc", r"a\|b\\nc"),
        ("![x](http://x.invalid)", r"\!\[x\](http://x.invalid)"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        ("Sale_2026 *new*", r"Sale\_2026 \*new\*"),
        ("Chai चाय 東京", "Chai चाय 東京"),
    ],
)
def test_markdown_shows_a_name_as_it_is(text: str, shown: str) -> None:
    assert escaped_for_markdown(text) == shown


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Sequence[Receiver]:
    one = Receiver()
    monkeypatch.setenv("FB_ALERT_WEBHOOK", one.url)
    return [one]


def test_an_alert_of_a_new_account_calls_nobody_and_is_one_line(
    instance: dg.DagsterInstance, sandbox: Sandbox, receiver: Sequence[Receiver]
) -> None:
    sandbox.use("hostile_names")
    instance.add_dynamic_partitions(AD_ACCOUNTS, [f"act_{one}" for one in sandbox.account_ids[1:]])

    sensor_tick("new_accounts", instance)
    sandbox.use()
    receiver[0].close()

    (text,) = receiver[0].texts
    assert text.startswith(
        "fbinsights: new ad account &lt;!channel&gt; (at)everyone"
        r" \x9b2J\x1b[2J\u202eevil\nline | ![x](http://x.invalid) &lt;b&gt; "
    )


def test_the_page_of_a_cell_shows_names_as_they_are(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake, days: Sequence[date]
) -> None:
    sandbox.use("hostile_names")
    account_id = sandbox.account_ids[0]
    run_job(instance, "accounts_job")
    key = f"act_{account_id}|{days[1]}"
    run_job(instance, "insights_hourly_job", key, key)
    sandbox.use()
    load = lake.load_of("insights_hourly", account_id, days[1])
    assert load

    shown, _ = LoadContext.of(lake, None, AssetKeys()).of_load(load)

    preview = str(shown["preview"].value)
    assert shown["account_name"].startswith(escaped(EVIL))
    assert escaped_for_markdown(EVIL) in preview
    assert not RAW.search(preview)
