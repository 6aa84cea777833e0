"""What Dagster itself adds: to a run, to an account-day, to the start of a command.

The same account-days are loaded by the loader alone and by a job of Dagster on an instance of its
own (SQLite on disk), one and then all of them, in one process and against one sandbox, which does
not count. What many runs cost instead of one chose the policy that backfills have, single_run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.engine import ACCOUNTS, DAYS, NOW, Served, serving, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import dagster as dg

__all__ = ["figures"]

#: Days of all accounts that are loaded many at a time.
MANY: Final = DAYS[-10:]


def figures() -> Iterator[tuple[str, str, str]]:
    """A line for each claim: what, how it was measured, what is to be reached."""
    with tempfile.TemporaryDirectory() as name, serving(latency=0.0) as served:
        yield from _added(served, Path(name, "added"))
        whole = ACCOUNTS * len(DAYS)
        for what, options, limit in (
            ("hours alone", ("--report", "insights_hourly"), "60 s"),
            ("all reports", (), ""),
        ):
            taken = _backfill(served, Path(name, what), *options)
            yield f"fbinsights backfill of {whole} account-days, {what}", taken, limit


def _added(served: Served, folder: Path) -> Iterator[tuple[str, str, str]]:
    folder.mkdir()
    done = timed([sys.executable, "-m", __spec__.name, "measure", *served, folder])
    report: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    many = report["account_days"]
    for name, what, limit in (
        ("definitions", "Dagster's definitions, loaded", "3 s"),
        ("a_run", "what Dagster adds to a run", ""),
        ("an_account_day", "what Dagster adds to an account-day", ""),
        ("in_one_run", f"{many} account-days in one run", ""),
        ("in_ten_runs", f"{many} account-days in {len(MANY)} runs", ""),
    ):
        cpu, wall = report[name]
        yield what, f"{wall:.3g} s, {cpu:.3g} CPU-s", limit


def _backfill(served: Served, folder: Path, *options: str) -> str:
    """What a whole command takes, with an instance and a lake of its own."""
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    command = [Path(sys.executable).with_name("fbinsights"), "backfill", *options]
    done = timed(
        [*command, "--since", DAYS[0], "--until", DAYS[-1]],
        FB_GRAPH_URL=served.url,
        FB_ACCESS_TOKEN=served.token,
        WAREHOUSE_URL=str(folder / "lake"),
        DAGSTER_HOME=str(folder),
    )
    return f"{done.seconds:.1f} s, {done.cpu_seconds:.1f} CPU-s"


@contextmanager
def _timing(into: dict[str, tuple[float, float]], name: str) -> Iterator[None]:
    cpu, wall = time.process_time(), time.monotonic()
    yield
    into[name] = time.process_time() - cpu, time.monotonic() - wall


def _measure(url: str, token: str, folder: str) -> None:
    """Load with and without Dagster; print what it adds."""
    times: dict[str, tuple[float, float]] = {}
    with _timing(times, "definitions"):
        import pipelines.definitions  # noqa: F401, PLC0415  # its import is what is measured
    import dagster as dg  # noqa: PLC0415  # comes with it

    environ = {"FB_GRAPH_URL": url, "FB_ACCESS_TOKEN": token, "WAREHOUSE_URL": f"{folder}/lake"}
    os.environ |= environ
    Path(folder, "home").mkdir()
    overrides = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(f"{folder}/home", overrides=overrides) as instance:
        from tests.runs import run_job  # noqa: PLC0415  # the same

        run_job(instance, "accounts_job")
        keys = instance.get_dynamic_partitions("ad_accounts")
        run_job(instance, "objects_job", keys[0], keys[-1])
        _alone(keys, MANY)  # the first time is not like the others
        with _timing(times, "one alone"):
            _alone(keys[:1], MANY[-1:])
        with _timing(times, "one by dagster"):
            _by_dagster(instance, keys[:1], MANY[-1:])
        with _timing(times, "many alone"):
            _alone(keys, MANY)
        with _timing(times, "in_one_run"):
            _by_dagster(instance, keys, MANY)
        with _timing(times, "in_ten_runs"):
            for day in MANY:
                _by_dagster(instance, keys, [day])
    count = len(keys) * len(MANY)
    print(json.dumps({**_report_of(times, count), "account_days": count}))


def _report_of(
    times: Mapping[str, tuple[float, float]], count: int
) -> Mapping[str, Sequence[float]]:
    run = [
        with_ - alone
        for with_, alone in zip(times["one by dagster"], times["one alone"], strict=True)
    ]
    all_ = [
        with_ - alone for with_, alone in zip(times["in_one_run"], times["many alone"], strict=True)
    ]
    each = [(more - less) / (count - 1) for more, less in zip(all_, run, strict=True)]
    return {
        **{name: times[name] for name in ("definitions", "in_one_run", "in_ten_runs")},
        "a_run": [whole - one for whole, one in zip(run, each, strict=True)],
        "an_account_day": each,
    }


def _alone(keys: Sequence[str], days: Sequence[Any]) -> None:
    """The loader without Dagster, with the ids that it sees to."""
    from pipelines.loading.accounts.stored import accounts_in  # noqa: PLC0415  # the same
    from pipelines.loading.loader import Loader  # noqa: PLC0415  # the same
    from pipelines.loading.objects import load_mentioned  # noqa: PLC0415  # the same
    from pipelines.loading.partitions import AccountDay  # noqa: PLC0415  # the same
    from pipelines.reports.catalog import HOURLY_REPORT  # noqa: PLC0415  # the same
    from pipelines.settings import settings_of  # noqa: PLC0415  # the same
    from warehouse.lake.partitions import Lake  # noqa: PLC0415  # the same

    settings = settings_of(os.environ)
    lake = Lake(settings.warehouse_url)
    wanted = [AccountDay(key.removeprefix("act_"), day) for key in keys for day in days]
    with settings.open_graph() as client:
        loader = Loader(client, lake, accounts_in(lake), "benchmark")
        outcomes = list(loader.load(HOURLY_REPORT, wanted))
        load_mentioned(client, lake, wanted, lambda: NOW)
    if not all(one.load and one.load.proven for one in outcomes):
        sys.exit("not every account-day was proven")


def _by_dagster(instance: dg.DagsterInstance, keys: Sequence[str], days: Sequence[Any]) -> None:
    from tests.runs import run_job  # noqa: PLC0415  # the same

    first, last = f"{keys[0]}|{days[0]}", f"{keys[-1]}|{days[-1]}"
    if not run_job(instance, "insights_hourly_job", first, last).success:
        sys.exit("the run failed")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", url, token, folder]:
            _measure(url, token, folder)
        case _:
            for line in figures():
                print(*line, sep="  ", flush=True)
