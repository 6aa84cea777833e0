from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.cli.commands.status import Overview, overview_of, run_status
from pipelines.cli.output.style import Style
from pipelines.cli.states import GOOD, State, state_of
from pipelines.errors import ConfigError
from pipelines.loading.accounts.stored import accounts_in
from pipelines.loading.failures import Failed, Failures
from pipelines.loading.load_result import Outcome
from pipelines.loading.partitions import AccountDay
from tests.reports import KNOWN
from warehouse.decode.hours import over_at
from warehouse.lake.defects.failures import without_day
from warehouse.lake.history import merge_objects
from warehouse.lake.records import Load
from warehouse.published.publish import lag
from warehouse.schema.objects.refused import Refused
from warehouse.schema.verdicts import PROVEN, PROVISIONAL, UNPROVABLE, UNPROVEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
DAY = date(2026, 11, 21)

LOADED = Load(
    table="insights_hourly",
    account_id="1",
    date=DAY,
    rows=24,
    verdict=PROVEN,
    reason="adds up",
    loaded_at=AT,
    control_impressions=100,
    control_clicks=5,
    control_spend=Decimal("7.5"),
)
SAME = replace(LOADED, table="control_daily", impressions=100, clicks=5, spend=Decimal("7.500000"))
LATER = replace(SAME, loaded_at=AT + timedelta(days=3))


@pytest.mark.parametrize(
    ("load", "control", "failed", "state"),
    [
        (LOADED, SAME, None, State.PROVEN),
        (LOADED, None, None, State.PROVEN),
        (LOADED, LATER, None, State.PROVEN),
        (LOADED, replace(LATER, clicks=6), None, State.STALE),
        (LOADED, replace(SAME, clicks=6), None, State.PROVEN),  # asked before it was proven
        (replace(LOADED, verdict=UNPROVEN), LATER, None, State.UNPROVEN),
        (replace(LOADED, verdict=PROVISIONAL), SAME, None, State.PROVISIONAL),
        (replace(LOADED, verdict=PROVISIONAL), replace(LATER, clicks=6), None, State.PROVISIONAL),
        (replace(LOADED, verdict=PROVISIONAL), SAME, Failed("(#200) No", "x"), State.FAILED),
        (None, LATER, None, State.MISSING),
        (None, None, Failed("(#200) No", "2026-11-22T05:00:00+00:00"), State.FAILED),
        (LOADED, SAME, Failed("(#200) No", "2026-11-22T05:00:00+00:00"), State.FAILED),
    ],
)
def test_an_account_day_stands_as_its_records_say(
    load: Load | None, control: Load | None, failed: Failed | None, state: State
) -> None:
    assert state_of(load, control, failed)[0] is state


def test_a_failed_account_day_is_forgotten_when_it_is_loaded(lake: Lake) -> None:
    failures = Failures(lake.store, "insights_hourly")
    cell = AccountDay("1", DAY)

    failures.note(Outcome(cell, error="(#200) No"), AT, "run-1")
    told = failures.of("1")
    failures.note(Outcome(cell, LOADED), AT, "run-2")

    assert told == {DAY: Failed("(#200) No", AT.isoformat(), "run-1", since=AT.isoformat())}
    assert failures.of("1") == {}


def test_status_shows_each_account_and_names_what_failed(
    sandbox: Sandbox,
    lake: Lake,
    load: Callable[..., object],
    days: Sequence[date],
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, bad = sandbox.account_ids[:2]
    load(days, [good, bad])
    sandbox.use("forbidden_account")
    load(days[:1], [bad])

    environ = {"WAREHOUSE_URL": str(lake.root)}
    accounts = [good, f"act_{bad}"]
    code = run_status(
        environ, KNOWN, days[0], days[-1], accounts=accounts, reports=["insights_hourly"]
    )

    out, err = capsys.readouterr()
    _, _, first, second = out.splitlines()
    assert code == 1
    assert first.split()[-6:] == ["3", "3", "0", "0", "0", "0"]
    assert second.split()[-6:] == ["3", "2", "0", "0", "0", "1"]
    assert f"act_{bad} " in err
    assert f"  insights_hourly: {days[0]}\n    failed: (#200)" in err


def test_what_failed_of_objects_is_named_with_since_when_why_and_the_command(
    lake: Lake, load: Callable[..., object], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = sandbox.account_ids
    load([])
    environ = {"WAREHOUSE_URL": str(lake.root)}
    images = Failures(lake.store, "images")
    images.note_whole({first: "(#10) No"}, AT, without_right={first})

    images.note_whole({second: "(#3) Down"}, AT)
    Failures(lake.store, "videos").note_whole({second: "(#3) Down"}, AT + timedelta(seconds=1))
    Failures(lake.store, "of_yesterday").note_whole({second: "(#3) Down"}, AT)

    run_status(environ, KNOWN, DAY, None)

    err = capsys.readouterr().err
    there = without_day(lake.store, ["images"])
    nothing = Overview([], {}, {}, DAY, {}, lag(lake), {})
    assert [
        replace(nothing, objects={of: there[of] for of in some}).exit_code
        for some in ([], [("images", first)], [("images", first), ("images", second)])
    ] == [0, 0, 1]
    assert "  images\n    failed: (#10) No (since 2026-11-22 05:00:00 UTC)" in err
    assert "  images, videos\n    failed: (#3) Down (since 2026-11-22 05:00:00 UTC)\n" in err
    commands = [f"  fbinsights refresh --account act_{one}" for one in (first, second)]
    assert "\n".join(("\n\nTo list them again:", *commands, "")) in err
    assert "of_yesterday" not in err
    run_status(environ, KNOWN, DAY, None, accounts=[first])
    assert "#3" not in capsys.readouterr().err
    run_status(environ, KNOWN, DAY, None, style=Style(is_json=True))
    assert {
        *("table", "images"),
        *("account", f"act_{first}"),
        *("since", AT.isoformat()),
    } <= {*chain(*json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0].items())}


def test_fields_of_objects_that_meta_refuses_are_named(
    lake: Lake, load: Callable[..., object], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = sandbox.account_ids
    load([])
    merge_objects(lake, "accounts", [None], None, AT, complete=True)
    environ = {"WAREHOUSE_URL": str(lake.root)}
    for account in accounts_in(lake).values():
        if account.account_id in {first, second}:
            refused = {"id": "1", "buying_type": Refused("(#100) Gone")}
            merge_objects(lake, "campaigns", [refused], account, AT, complete=False)

    code = run_status(environ, KNOWN, DAY, None)

    err = capsys.readouterr().err
    assert "\n  campaigns: buying_type of 2 objects of 2 accounts: (#100) Gone\n" in err
    assert "\n  accounts: 1 object of 1 account: " in err
    run_status(environ, KNOWN, DAY, None, accounts=[first], style=Style(is_json=True))
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["rejects"]
    assert {one["column"]: one["accounts"] for one in found} == {
        "buying_type": [f"act_{first}"],
        "": ["unknown"],  # an object that is null
    }
    (lake.root / "rejects").rename(lake.root / "none")
    assert run_status(environ, KNOWN, DAY, None) == code  # they are no failure
    assert "Meta refuses" not in capsys.readouterr().err


def test_an_open_day_has_a_column_of_its_own_and_nothing_is_wrong_with_it(
    sandbox: Sandbox,
    lake: Lake,
    load: Callable[..., object],
    days: Sequence[date],
    capsys: pytest.CaptureFixture[str],
) -> None:
    account_id, today = sandbox.account_ids[0], days[-1] + timedelta(days=1)
    environ = {"WAREHOUSE_URL": str(lake.root)}
    which: dict[str, Any] = {"accounts": [account_id], "reports": ["insights_hourly"]}
    load([*days, today], [account_id])

    code = run_status(environ, KNOWN, days[0], today, **which)

    out, err = capsys.readouterr()
    header, _, line = out.splitlines()
    assert code == 0
    assert header.split() == [
        *("account", "name", "report", "days"),
        *("proven", "stale", "provisional", "unproven", "not", "loaded", "failed"),
    ]
    assert line.split()[-7:] == ["4", "3", "0", "1", "0", "0", "0"]
    assert "Provisional account-days: 1. They were loaded before their day had been over for" in err
    assert re.search(
        rf"insights_hourly: {today}\n +provisional: whole until [01]\d:00 \(account's clock\),"
        r" asked at 2026-11-23 20:00 UTC",
        err,
    )
    run_status(environ, KNOWN, days[0], days[-1], **which)
    assert "provisional" not in capsys.readouterr().out


def test_status_is_0_when_all_is_proven_and_needs_no_token(
    sandbox: Sandbox, lake: Lake, load: Callable[..., object], days: Sequence[date]
) -> None:
    load(days, sandbox.account_ids[:1])

    environ = {"WAREHOUSE_URL": str(lake.root)}
    accounts, reports = sandbox.account_ids[:1], ["insights_hourly"]
    assert run_status(environ, KNOWN, days[0], days[-1], accounts=accounts, reports=reports) == 0


def test_what_adds_up_to_no_total_is_a_state_of_its_own_in_which_nothing_is_to_be_done() -> None:
    unprovable = replace(LOADED, verdict=UNPROVABLE, reason="no totals to compare it with")

    assert state_of(unprovable, None, None) == (State.UNPROVABLE, "no totals to compare it with")
    assert State.UNPROVABLE in GOOD


@pytest.mark.parametrize(("accounts", "reports"), [(["42"], ()), ((), ["weekly"])])
def test_what_is_not_known_is_named(
    lake: Lake, load: Callable[..., object], accounts: list[str], reports: Sequence[str]
) -> None:
    load([])

    with pytest.raises(ConfigError, match=r"act_42|weekly"):
        run_status(
            {"WAREHOUSE_URL": str(lake.root)}, KNOWN, DAY, DAY, accounts=accounts, reports=reports
        )


def test_a_warehouse_without_accounts_is_not_called_proven(lake: Lake) -> None:
    with pytest.raises(ConfigError, match=f"loaded into {lake.root}.*WAREHOUSE_URL"):
        run_status({"WAREHOUSE_URL": str(lake.root)}, KNOWN, DAY, DAY)


@pytest.mark.parametrize(("since", "days"), [(None, 2), (date(2026, 11, 19), 4)])
def test_days_before_the_first_that_was_tried_are_missing_only_if_asked_for(
    sandbox: Sandbox,
    lake: Lake,
    load: Callable[..., object],
    capsys: pytest.CaptureFixture[str],
    since: date | None,
    days: int,
) -> None:
    account_id = sandbox.account_ids[0]
    load([date(2026, 11, 21), date(2026, 11, 22)], [account_id])

    run_status(
        {"WAREHOUSE_URL": str(lake.root)},
        KNOWN,
        since,
        date(2026, 11, 22),
        accounts=[account_id],
        reports=["insights_hourly"],
    )

    counts = capsys.readouterr().out.splitlines()[2].split()[-6:]
    assert counts[:2] == [str(days), "2"]


def test_a_day_is_missing_when_it_counts_as_over_or_is_asked_for(
    lake: Lake, sandbox: Sandbox, load: Callable[..., object]
) -> None:
    account_id = sandbox.account_ids[0]
    load([DAY], [account_id])
    account = accounts_in(lake)[account_id]
    over = over_at(account.timezone_name, DAY + timedelta(days=1))

    def missing(now: datetime, until: date | None = None) -> list[date]:
        asked = (None, until)
        found = overview_of(lake, KNOWN, [account], ["insights_hourly"], asked, DAY, now)
        return [one.account_day.day for one in found.wrong]

    assert missing(over - timedelta(minutes=1)) == []
    assert missing(over) == missing(over - timedelta(minutes=1), DAY + timedelta(days=1))
    assert missing(over) == [DAY + timedelta(days=1)]


@pytest.fixture
def loaded(
    sandbox: Sandbox, lake: Lake, load: Callable[..., object], days: Sequence[date]
) -> dict[str, str]:
    """The settings of a lake with a day of one account."""
    load(days[:1], sandbox.account_ids[:1])
    return {"WAREHOUSE_URL": str(lake.root)}


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (None, date(2020, 1, 1), "There is nothing to show: the history of this lake begins on 20"),
        (date(2020, 1, 1), date(2020, 2, 1), "There is nothing to show: the history of this lake"),
        (None, date(2026, 8, 1), "Nothing of these days was ever loaded. Add --since to see what"),
    ],
)
def test_an_empty_table_says_why(
    loaded: dict[str, str],
    since: date | None,
    until: date,
    told: str,
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one: dict[str, Any] = {
        "accounts": sandbox.account_ids[:1],
        "reports": ["insights_hourly"],
    }

    code = run_status(loaded, KNOWN, since, until, **one)

    assert code == 0
    assert capsys.readouterr().err.startswith(told)


def test_where_nothing_was_ever_loaded_doctor_is_named(
    loaded: dict[str, str], sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    day = date(2026, 11, 20)

    for number in (0, 1):  # only the first has a day in the lake
        account = sandbox.account_ids[number]
        run_status(
            *(loaded, KNOWN, day - timedelta(days=1), day),
            accounts=[account],
            reports=["insights_hourly"],
        )

    first, second = re.findall("Of the last 28 days|doctor` says", capsys.readouterr().err)
    assert (first, second) == ("Of the last 28 days", "doctor` says")


@pytest.mark.parametrize("option", ["since", "until"])
def test_a_day_that_has_begun_nowhere_is_refused(loaded: dict[str, str], option: str) -> None:
    asked = {"since": None, "until": None, option: date(9999, 12, 31)}

    with pytest.raises(ConfigError, match=f"--{option} 9999-12-31 has not begun anywhere"):
        run_status(loaded, KNOWN, asked["since"], asked["until"])


def test_an_account_that_the_lake_lacks_is_told_with_those_that_it_has(
    loaded: dict[str, str], sandbox: Sandbox
) -> None:
    key, name = f"act_{sandbox.account_ids[0]}", "Nordlicht Shop DE"

    with pytest.raises(ConfigError, match=rf"does not have act_1. It has:\n  {key}  {name}\n"):
        run_status(loaded, KNOWN, None, None, accounts=["1"])
    with pytest.raises(ConfigError, match=rf"'{name}'.*That is the name of {key}\."):
        run_status(loaded, KNOWN, None, None, accounts=[name])


def test_from_a_day_that_has_begun_to_no_named_end_is_to_today(
    loaded: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_status(loaded, KNOWN, datetime.now(UTC).date(), None)

    out, err = capsys.readouterr()
    assert code in {0, 1}
    assert out.startswith("account ")
    assert "Traceback" not in err
