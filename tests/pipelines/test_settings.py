from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from fbgraph.errors import VersionError
from pipelines.errors import ConfigError
from pipelines.settings import settings_of
from pipelines.variables import VARIABLES, WATCHED, unknown_settings
from pipelines.watching.rules import Kind

ROOT = Path(__file__).resolve().parents[2]


def test_without_anything_set_the_defaults_are_those_of_the_table() -> None:
    settings = settings_of({})

    assert (settings.graph_url, settings.api_version, settings.warehouse_url) == (
        "https://graph.facebook.com",
        "v26.0",
        "./data",
    )


def test_without_a_token_the_error_names_the_variable_and_where_to_get_one() -> None:
    with pytest.raises(ConfigError, match=r"FB_ACCESS_TOKEN is not set.*ads_read.*System users"):
        settings_of({"FB_ACCESS_TOKEN": "  "}).open_graph()


@pytest.mark.parametrize(
    ("version", "today", "said"),
    [
        ("v24.0", date(2026, 11, 29), "ended API version v24.0 on 2026-11-10. Set FB_API_VERSION"),
        ("v25.0", date(2027, 2, 24), "ended API version v25.0 on 2027-02-23. Set FB_API_VERSION"),
        ("v28.0", date(2026, 11, 29), "does not know API version v28.0. Upgrade fbinsights"),
    ],
)
def test_a_version_that_has_ended_or_is_unknown_is_refused_when_graph_is_opened(
    version: str, today: date, said: str
) -> None:
    settings = settings_of({"FB_ACCESS_TOKEN": "EAAx", "FB_API_VERSION": version})

    with pytest.raises(VersionError, match=said):
        settings.open_graph(is_shared=False, today=today)


@pytest.mark.parametrize("version", ["v25.0", "v26.0", "v27.0"])
def test_a_version_that_lives_is_requested(version: str) -> None:
    settings = settings_of({"FB_ACCESS_TOKEN": "EAAx", "FB_API_VERSION": version})

    with settings.open_graph(is_shared=False, today=date(2026, 11, 29)) as client:
        assert client.version == version


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FB_GRAPH_URL", "graph.facebook.com"),
        ("FB_GRAPH_URL", "ftp://graph.facebook.com"),
        ("FB_GRAPH_URL", "https://graph.facebook.com/v26.0"),
        ("FB_API_VERSION", "26"),
        ("FB_ACCOUNT_IDS", "act_1,me"),
        ("FB_ACCOUNT_IDS", ","),
        ("FB_ACCOUNT_IDS", " , ,"),
        ("FB_HISTORY_SINCE", "2020-01-01"),
        ("FB_ALERT_WEBHOOK", "hooks.slack.com/services/T/B/secret"),
        ("FB_DAGSTER_URL", "localhost:3000"),
        *(("FB_WATCH", value) for value in ("slower", "stopped,none", ",")),
        *(("FB_DIGEST_HOUR", value) for value in ("24", "8:30", "8 Europe/Berlyn", "²")),
        *(("FB_INTRADAY_MINUTES", value) for value in ("14", "241", "1h", "²")),
        *(("FB_INTRADAY_DELAY_MINUTES", value) for value in ("-1", "1.5", "3h", "1441", "²")),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        settings_of({name: value})


def test_what_is_told_about_today_is_chosen() -> None:
    chosen = settings_of({"FB_WATCH": "stopped, late_data", "FB_DIGEST_HOUR": "8 Europe/Berlin"})

    assert (chosen.watched, chosen.digest) == (("stopped", "late_data"), (8, "Europe/Berlin"))
    assert (settings_of({"FB_WATCH": "none"}).watched, settings_of({}).digest) == ((), None)
    assert settings_of({}).watched == WATCHED
    assert tuple(Kind) == WATCHED


def test_a_delay_is_in_minutes_and_three_hours_unless_it_is_set() -> None:
    found = [
        settings_of({"FB_INTRADAY_DELAY_MINUTES": value}).intraday_delay
        for value in ("", "0", "90", "1440")
    ]

    assert found == [timedelta(minutes=minutes) for minutes in (180, 0, 90, 1440)]


def test_accounts_are_a_list_with_or_without_prefix_each_once() -> None:
    assert settings_of({"FB_ACCOUNT_IDS": " act_1, 2,,1 "}).account_ids == ("1", "2")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FB_ACCES_TOKEN", "FB_ACCESS_TOKEN"),
        ("FB_ACCOUNT_ID", "FB_ACCOUNT_IDS"),
        ("fb_access_token", "FB_ACCESS_TOKEN"),
        ("WAREHOUSE_URLS", "WAREHOUSE_URL"),
        ("FB_PAGE_ID", ""),
    ],
)
def test_a_variable_that_begins_like_ours_and_is_not_is_named_with_the_nearest(
    name: str, near: str
) -> None:
    environ = {name: "1", "FB_REPORTS": "reports", "PATH": "/bin"}

    assert list(unknown_settings(environ)) == [(name, near)]


def test_secrets_are_in_no_repr() -> None:
    settings = settings_of({"FB_ACCESS_TOKEN": "EAAsecret", "FB_APP_SECRET": "appsecret"})
    with settings.open_graph() as client:
        shown = f"{settings!r} {client!r} {client.account('1')!r}"

    assert "EAAsecret" not in shown
    assert "appsecret" not in shown


@pytest.mark.parametrize("file", [".env.example", "README.md"])
def test_every_variable_is_documented_with_its_default(file: str) -> None:
    text = (ROOT / file).read_text()

    for variable in VARIABLES:
        assert re.search(rf"\b{variable.name}\b", text)
        assert (variable.default or "") in text
