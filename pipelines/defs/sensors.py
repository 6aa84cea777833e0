"""Sensors that alert: failed runs, new and vanished accounts, a token or version that ends soon."""

# No `from __future__ import annotations`: Dagster reads the annotations of sensors as objects.
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import dagster as dg

from fbgraph import GraphClient, act_id
from fbgraph.errors import ENDS_EVERYTHING, GraphError, VersionError
from pipelines.asset_keys import AssetKeys
from pipelines.defs.alerts import failure_text, link_to, page_line, require_delivered, send_all
from pipelines.defs.event_log.events import evaluation_of
from pipelines.defs.event_log.run_events import failures_in
from pipelines.defs.partitions import AD_ACCOUNTS
from pipelines.escaping import escaped
from pipelines.loading import access
from pipelines.loading.access import Finding
from pipelines.loading.accounts.discovery import discover, text_of
from pipelines.loading.accounts.stored import account_names
from pipelines.reports.catalog import Report
from pipelines.resources import GraphResource
from pipelines.settings import Settings
from warehouse.errors import WarehouseError
from warehouse.lake.partitions import Lake

__all__ = ["access_check", "access_sensor", "failures_sensor", "findings", "new_accounts"]

_ON: Final = dg.DefaultSensorStatus.RUNNING

#: what is checked → the check of `accounts` that shows it.
_CHECKS: Final[Mapping[str, str]] = {
    "token": "token",
    "API version": "api_version",
    "retirements": "retirements",
}

_NO_TOKEN: Final = "FB_ACCESS_TOKEN is not set."  # noqa: S105  # it says that there is none


def failures_sensor(
    jobs: Collection[str], assets: Collection[dg.AssetKey], keys: AssetKeys
) -> dg.SensorDefinition:
    """The sensor that alerts on our runs: of these jobs, or of any of these assets. A user's own
    project has other runs too.
    """

    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=_ON,
        description="Alerts on every failed run: what failed, what Meta said, where to look. "
        "Commands report their failures in their own terminal.",
    )
    def failed_runs(
        context: dg.RunFailureSensorContext, graph: GraphResource
    ) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.job_name not in jobs and (run.asset_selection or set()).isdisjoint(assets):
            return dg.SkipReason(f"The run of {run.job_name} is not one of fbinsights.")
        _alert(context, graph, keys)
        return None

    return failed_runs


def _alert(context: dg.RunFailureSensorContext, graph: GraphResource, keys: AssetKeys) -> None:
    run = context.dagster_run
    events = context.get_step_failure_events()
    failed: dict[tuple[str, str], str] = {}
    stopped = ""
    for event in events:
        more, why = failures_in(event)
        failed |= more
        stopped = stopped or why
    if not failed and not stopped:  # nobody foresaw it: a fault of ours, or a process that is gone
        texts = [event.step_failure_data.error_display_string for event in events]
        stopped = texts[0] if texts else str(context.failure_event.message)
    settings = graph.environment()  # an alert goes out whatever is wrong
    link = f"{link_to(settings, 'runs', run.run_id)}\n{page_line(settings, keys)}"
    text = failure_text(_what(run, failed), link, failed, stopped, _names(settings))
    require_delivered(settings, text)


def _what(run: dg.DagsterRun, failed: Collection[tuple[str, str]]) -> str:
    """What a run was for: its job or, where a person chose cells of a grid, its assets."""
    if not run.job_name.startswith("__"):
        return run.job_name
    assets = {asset for asset, _ in failed} or {
        key.to_user_string() for key in run.asset_selection or ()
    }
    return ", ".join(sorted(assets)) or "a run"


def _names(settings: Settings) -> Mapping[str, str]:
    """``act_123`` → the name of the account, as far as the lake can be read."""
    try:
        found = account_names(Lake(settings.warehouse_url))
    except (WarehouseError, OSError):
        return {}
    return {act_id(account_id): name or "" for account_id, name in found.items()}


@dg.sensor(
    name="new_accounts",
    job_name="accounts_job",
    minimum_interval_seconds=3600,
    default_status=_ON,
    description="Checks every hour which accounts the token sees. A new account gets its "
    "partitions "
    "and an alert; the data of one that vanished stays.",
)
def new_accounts(
    context: dg.SensorEvaluationContext, graph: GraphResource
) -> dg.SensorResult | dg.SkipReason:
    settings = graph.settings()
    if not settings.access_token:
        return dg.SkipReason(_NO_TOKEN)
    with settings.open_graph() as client:
        rows = discover(client, settings.account_ids).rows
    names = {act_id(row["account_id"]): text_of(row, "name") for row in rows}
    known = set(context.instance.get_dynamic_partitions(AD_ACCOUNTS))
    seen, unsent = _kept(context.cursor)
    new, gone = sorted(set(names) - known), sorted(set(seen) - set(names))
    texts = [
        f"fbinsights: new ad account {escaped(names[key])} ({key})."
        for key in new
        if key not in seen  # else accounts_job has failed since
    ]
    former = _names(settings) if gone else {}
    for key in gone:
        name = f"{escaped(former[key])} ({key})" if former.get(key) else key
        texts.append(f"fbinsights: the token no longer sees {name}. Its loaded data stays.")
    left = send_all(settings, [*unsent, *texts])
    # Without a key: Dagster starts no second run for one, also if the first has failed.
    requests = [dg.RunRequest()] if new else []
    cursor = json.dumps({"seen": sorted(names), "unsent": left})
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _kept(cursor: str | None) -> tuple[Collection[str], Sequence[str]]:
    """The accounts that the last tick saw, and the alerts that it could not send. The cursor of an
    earlier version has only the accounts.
    """
    kept = json.loads(cursor or "[]")
    if isinstance(kept, list):
        return kept, ()
    return kept["seen"], kept["unsent"]


def findings(settings: Settings, reports: Mapping[str, Report], now: datetime) -> Sequence[Finding]:
    """How long the token, the API version and what reports request stay valid, by one call."""
    today = now.date()
    try:
        with settings.open_graph(today=today) as client:
            token = _token(client, now)
            version = access.version(settings.api_version, client.tally.api_version, today)
    except VersionError as error:
        token = (True, "token", "expiry and scopes unknown: the API version is refused")
        version = (False, "API version", str(error))
    requested = {name: report.requests for name, report in reports.items()}
    return [token, version, access.retirements(requested, today)]


def _token(client: GraphClient, now: datetime) -> Finding:
    try:
        return access.token(client.debug_token(), now)
    except VersionError:
        raise
    except ENDS_EVERYTHING as error:
        return False, "token", str(error)
    except GraphError as error:
        return True, "token", f"expiry and scopes unknown: {error}"


def _result(finding: Finding, accounts: dg.AssetKey) -> dg.AssetCheckResult:
    ok, what, detail = finding
    return dg.AssetCheckResult(
        check_name=_CHECKS[what],
        asset_key=accounts,
        passed=ok,
        severity=dg.AssetCheckSeverity.WARN,
        description=detail,
    )


#: check of `accounts` → its description.
_ACCESS: Final[Mapping[str, str]] = {
    "token": "The token is valid for at least 14 days.",
    "api_version": "The pinned version responds, and stays supported for more than 60 days.",
    "retirements": "Nothing that a report requests is retired within 60 days.",
}


def access_check(reports: Mapping[str, Report], keys: AssetKeys) -> dg.AssetChecksDefinition:
    """The checks of `accounts`, which a person can run by a click."""

    @dg.multi_asset_check(
        name="access",
        specs=[
            dg.AssetCheckSpec(name, asset=keys("accounts"), description=looks_at)
            for name, looks_at in _ACCESS.items()
        ],
    )
    def access_checks(graph: GraphResource) -> Iterator[dg.AssetCheckResult]:
        for finding in findings(graph.settings(), reports, graph.now()):
            yield _result(finding, keys("accounts"))

    return access_checks


def access_sensor(reports: Mapping[str, Report], keys: AssetKeys) -> dg.SensorDefinition:
    """The sensor that records those checks, and alerts."""

    @dg.sensor(
        name="access_ends",
        minimum_interval_seconds=6 * 3600,
        default_status=_ON,
        description="Checks four times a day how long the token, the API version and what reports "
        "request stay valid, records the checks of `accounts`, and alerts 14 days before the "
        "token's end and 60 before Meta ends one of the others.",
    )
    def access_ends(
        context: dg.SensorEvaluationContext, graph: GraphResource
    ) -> dg.SensorResult | dg.SkipReason:
        settings = graph.settings()
        if not settings.access_token:
            return dg.SkipReason(_NO_TOKEN)
        now = graph.now()
        found = findings(settings, reports, now)
        reported = {
            k: date.fromisoformat(day) for k, day in json.loads(context.cursor or "{}").items()
        }
        texts, reported_now = access.due_alerts(found, reported, now.date())
        full = {what: f"fbinsights: {text}" for what, text in texts.items()}
        unsent = send_all(settings, full.values())  # which the next tick sends, and only that
        days = {
            what: day.isoformat()
            for what, day in reported_now.items()
            if full.get(what) not in unsent
        }
        return dg.SensorResult(
            asset_events=[evaluation_of(_result(one, keys("accounts"))) for one in found],
            cursor=json.dumps(days),
        )

    return access_ends
