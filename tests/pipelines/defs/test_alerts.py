"""Messages to a webhook: a receiver on a socket takes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from pipelines.definitions import defs
from pipelines.defs.alerts import QUOTED, UndeliveredError, failure_text, send_alert, send_all
from pipelines.settings import settings_of
from tests.graph import graph_by
from tests.runs import run_job
from tests.webhook import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fbgraph.sandbox import Sandbox
    from warehouse.lake.partitions import Lake


#: The time of the sandbox of these tests.
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("FB_ALERT_WEBHOOK", receiver.url)
    yield receiver
    receiver.close()


def test_a_message_is_the_json_that_slack_takes(webhook: Receiver) -> None:
    assert send_alert(settings_of({"FB_ALERT_WEBHOOK": webhook.url}), "fbinsights: 東京 fails")

    assert webhook.sent == [{"text": "fbinsights: 東京 fails"}]


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_refuses_is_logged_without_its_address(
    webhook: Receiver, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    webhook.status = status

    assert not send_alert(settings_of({"FB_ALERT_WEBHOOK": webhook.url}), "text")

    assert f"HTTP {status}" in caplog.text
    assert "secret" not in " ".join(r.getMessage() for r in caplog.records if "pipelines" in r.name)


def test_a_webhook_that_is_not_there_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    url = "http://127.0.0.1:1/services/secret"

    assert not send_alert(settings_of({"FB_ALERT_WEBHOOK": url}), "text")

    assert "did not respond" in caplog.text
    assert "secret" not in " ".join(r.getMessage() for r in caplog.records if "pipelines" in r.name)


def test_days_of_an_account_are_one_line_and_a_long_list_is_cut_and_counted() -> None:
    days = [f"2026-11-{day:02}" for day in (22, 21, 20)]
    failed = {
        ("insights_hourly", f"act_{n}|{day}"): "(#200) No"
        for n in range(QUOTED + 3)
        for day in days
    }

    text = failure_text("insights_hourly", "http://d/runs/1", failed, "", {"act_0": "Sakura 東京"})

    lines = text.splitlines()
    assert lines[0] == (
        "fbinsights: insights_hourly failed for 39 partitions of 13 accounts; what was loaded"
        " before is unchanged."
    )
    assert lines[1] == (
        "Sakura 東京 (act_0) insights_hourly 2026-11-20 to 2026-11-22, 3 days: (#200) No"
    )
    assert lines[2].startswith("act_1 insights_hourly 2026-11-20")
    assert len(lines) == 1 + QUOTED + 2
    assert lines[-2:] == ["and 3 more", "http://d/runs/1"]


def fail(
    instance: dg.DagsterInstance, job: str, config: dict[str, Any] | None = None,
    assets: Sequence[str] = (), cell: str | None = None,
) -> dg.RunFailureSensorContext:  # fmt: skip
    """Run a job, or some of its `assets`, as the daemon would, and what the sensor is given of its
    failure.
    """
    chosen = [dg.AssetKey(asset) for asset in assets] or None
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config or {}, raise_on_error=False, asset_selection=chosen,
        partition_key=cell,
    )  # fmt: skip
    assert not result.success
    return dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        resources={"graph": graph_by(lambda: NOW)},
    ).for_run_failure()


def tick(context: dg.RunFailureSensorContext) -> object:
    sensor: Any = defs.get_repository_def().get_sensor_def("failed_runs")
    return sensor(context)


@pytest.mark.slow
def test_a_failed_run_is_told_with_what_meta_said_and_where_to_look(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver
) -> None:
    sandbox.use("forbidden_insights")
    chosen = [f"act_{i}" for i in sandbox.account_ids[:2]]
    config = {"accounts": chosen, "as_of": "2026-11-23T20:00:00+00:00"}
    context = fail(instance, "refresh_job", {"ops": {"look": {"config": config}}})

    tick(context)

    [text] = webhook.texts
    assert text.startswith(
        "fbinsights: refresh_job failed for 37 partitions of 1 account; what was loaded before"
    )
    days = "2026-11-20 to 2026-11-22, 3 days: "
    assert f"Sunset Outfitters ({chosen[1]}) insights_hourly {days}" in text
    assert "3191001" in text
    assert text.endswith(
        f"http://127.0.0.1:3000/runs/{context.dagster_run.run_id}"
        "\nthe page overview.html: http://127.0.0.1:3000/assets/overview"
    )
    assert sandbox.token not in text


def test_cells_that_a_person_chose_are_told_by_their_asset_not_by_dagsters_name_for_their_job(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("forbidden_account")
    account = f"act_{sandbox.account_ids[1]}"

    tick(fail(instance, "__ASSET_JOB", assets=["insights_hourly"], cell=f"{account}|2026-11-20"))

    [text] = webhook.texts
    assert text.startswith(
        "fbinsights: insights_hourly failed for 1 partition of 1 account; what was loaded before"
        f" is unchanged.\nSunset Outfitters ({account}) insights_hourly 2026-11-20: (#200)"
    )


def test_a_dead_token_is_told_with_what_to_do(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.expired_token)

    tick(fail(instance, "accounts_job"))

    assert "put it in FB_ACCESS_TOKEN" in webhook.texts[0]


def test_a_tick_whose_alert_is_not_delivered_fails_with_its_text(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.expired_token)
    failed = fail(instance, "accounts_job")
    webhook.status = 500

    with pytest.raises(UndeliveredError, match=r"(?s)FB_ALERT_WEBHOOK.*Create a new access token"):
        tick(failed)


def sensor_tick(
    name: str, instance: dg.DagsterInstance, cursor: str | None = None, *, now: datetime = NOW
) -> Any:
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(
        instance=instance,
        cursor=cursor,
        repository_def=repository,
        resources={"graph": graph_by(lambda: now)},
    )
    return repository.get_sensor_def(name).evaluate_tick(context)


def test_new_accounts_are_told_and_taken_in_and_then_there_is_nothing_new(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver
) -> None:
    first = sensor_tick("new_accounts", instance)
    failed = sensor_tick("new_accounts", instance, first.cursor)
    assert [one.run_key for one in first.run_requests + failed.run_requests] == [None, None]
    run_job(instance, "accounts_job")

    again = sensor_tick("new_accounts", instance, failed.cursor)

    assert not again.run_requests
    assert len(webhook.texts) == len(sandbox.account_ids)
    assert "Nordlicht Shop DE" in webhook.texts[0]


def test_an_account_that_vanishes_is_told_once_and_keeps_its_partitions(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first = sensor_tick("new_accounts", instance)
    run_job(instance, "accounts_job")
    webhook.sent.clear()
    monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(sandbox.account_ids[1:]))

    second = sensor_tick("new_accounts", instance, first.cursor)
    sensor_tick("new_accounts", instance, second.cursor)

    gone = f"act_{sandbox.account_ids[0]}"
    assert [gone in text for text in webhook.texts] == [True]
    assert gone in instance.get_dynamic_partitions("ad_accounts")


def test_accounts_that_come_and_go_are_told_again_if_that_was_not_delivered_and_only_that(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    old, *_, new = (f"act_{one}" for one in sandbox.account_ids)
    earlier = json.dumps([f"act_{one}" for one in sandbox.account_ids[:-1]])
    monkeypatch.setenv("FB_ACCOUNT_IDS", ",".join(sandbox.account_ids[1:]))
    webhook.refused = new

    first = sensor_tick("new_accounts", instance, earlier)
    run_job(instance, "accounts_job")
    webhook.refused = ""
    second = sensor_tick("new_accounts", instance, first.cursor)
    third = sensor_tick("new_accounts", instance, second.cursor)

    assert [new in text for text in webhook.texts] == [True, False, True]
    assert [old in text for text in webhook.texts] == [False, True, False]
    assert [len(one.run_requests) for one in (first, second, third)] == [1, 0, 0]


def test_a_tick_begins_no_further_alert_once_a_webhook_has_taken_its_time(
    webhook: Receiver,
) -> None:
    seconds = iter([0.0, 0.0, 31.0, 31.0])

    left = send_all(
        settings_of({"FB_ALERT_WEBHOOK": webhook.url}),
        ["one", "two", "three"],
        lambda: next(seconds),
    )

    assert (webhook.texts, left) == (["one"], ["two", "three"])


@pytest.mark.parametrize("name", ["new_accounts", "access_ends"])
def test_without_a_token_a_sensor_says_so_and_fails_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("FB_ACCESS_TOKEN", "")

    assert sensor_tick(name, instance).skip_message == "FB_ACCESS_TOKEN is not set."


def test_a_token_that_ends_soon_is_told_once_and_its_check_is_red(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    token = sandbox.make_token(expires_at=NOW + timedelta(days=10))
    monkeypatch.setenv("FB_ACCESS_TOKEN", token)

    first = sensor_tick("access_ends", instance)
    again = sensor_tick("access_ends", instance, first.cursor)

    assert ["FB_ACCESS_TOKEN" in text for text in webhook.texts] == [True]
    for tick_of in (first, again):
        checks = {event.check_name: event.passed for event in tick_of.asset_events}
        assert checks == {"token": False, "api_version": True, "retirements": True}


def test_what_ends_soon_is_told_again_if_it_was_not_delivered_and_only_that(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    now = datetime(2026, 12, 30, tzinfo=UTC)  # 55 days before the end of v25.0
    monkeypatch.setenv("FB_API_VERSION", "v25.0")
    token = sandbox.make_token(expires_at=now + timedelta(days=10))
    monkeypatch.setenv("FB_ACCESS_TOKEN", token)
    webhook.refused = "FB_ACCESS_TOKEN"
    first = sensor_tick("access_ends", instance, now=now)
    webhook.refused = ""

    second = sensor_tick("access_ends", instance, first.cursor, now=now)
    sensor_tick("access_ends", instance, second.cursor, now=now)

    sent = [text.removeprefix("fbinsights: ").partition(":")[0] for text in webhook.texts]
    assert sent == ["token", "API version", "token"]


def test_an_expired_token_is_told(
    instance: dg.DagsterInstance, sandbox: Sandbox, webhook: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("FB_ACCESS_TOKEN", sandbox.expired_token)

    sensor_tick("access_ends", instance)

    assert "Create a new access token" in webhook.texts[0]


def access_of(tick: Any) -> dict[str, bool]:
    return {event.check_name: event.passed for event in tick.asset_events}


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("v24.0", "API version: Meta ended API version v24.0 on 2026-11-10. Set FB_API_VERSION to"),
        ("v28.0", "API version: fbinsights does not know API version v28.0. Upgrade fbinsights,"),
    ],
)
def test_a_version_that_has_ended_or_is_unknown_is_told_once_and_its_check_is_red(
    instance: dg.DagsterInstance, webhook: Receiver, monkeypatch: pytest.MonkeyPatch,
    version: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("FB_API_VERSION", version)

    first = sensor_tick("access_ends", instance)
    again = sensor_tick("access_ends", instance, first.cursor)

    assert [said in text for text in webhook.texts] == [True]
    for tick_of in (first, again):
        assert access_of(tick_of) == {"token": True, "api_version": False, "retirements": True}


def test_a_version_that_ends_is_told_from_sixty_days_before(
    instance: dg.DagsterInstance, webhook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FB_API_VERSION", "v25.0")
    days = (datetime(2026, 12, 24, 9, tzinfo=UTC), datetime(2026, 12, 25, 9, tzinfo=UTC))
    passed = [
        access_of(sensor_tick("access_ends", instance, now=now))["api_version"] for now in days
    ]

    assert passed == [True, False]
    assert ["v25.0 ends on 2027-02-23, in 60 days" in text for text in webhook.texts] == [True]


def test_a_version_that_meta_refuses_stops_everything_with_one_line(
    instance: dg.DagsterInstance, sandbox: Sandbox, lake: Lake
) -> None:
    run_job(instance, "accounts_job")
    sandbox.use("expired_version")
    days = [f"act_{account_id}|2026-11-20" for account_id in sandbox.account_ids[:3]]

    result = run_job(instance, "insights_hourly_job", days[0], days[-1])

    assert not result.success
    assert "Set FB_API_VERSION to a supported version: v25.0 (until 2027-02-23)" in result.stopped
    assert result.stopped.count("2635") == 2  # in Meta's words and as the code
    assert not list(lake.root.rglob("insights_hourly/**/*.parquet"))
