"""docs/reports.md, step by step: a person adds a file, and nothing else, to a checkout."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pipelines.reports.rules import NO_SUMS
from pipelines.reports.spec import ReportSpec
from tests.e2e.checkout import DOCS, EXAMPLE

if TYPE_CHECKING:
    from tests.e2e.checkout import Checkout

COMMANDS = re.findall(r"^fbinsights (.*--report.*|query .*)$", DOCS, re.MULTILINE)


def test_the_example_is_loaded_proven_and_answered_as_the_docs_say(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)
    plan, backfill, spend, clicks = (shlex.split(command) for command in COMMANDS)

    planned, loaded = checkout.run(*plan), checkout.run(*backfill)
    by_place = checkout.run(*spend, "--format", "csv")
    by_platform = checkout.run(*clicks, "--format", "csv")

    assert (planned.returncode, "spend_by_placement" in planned.stdout) == (0, True)
    # A slow machine prints its progress twice a minute.
    warned = [line for line in loaded.stderr.splitlines() if " account-days; " not in line]
    assert (loaded.returncode, warned) == (0, [])
    told = sum(
        Decimal(checkout.sandbox.truth(account_id, f"2026-11-{day}")["sums"]["spend"])
        for account_id in checkout.sandbox.account_ids
        for day in (20, 21, 22)
    )
    rows = list(csv.DictReader(by_place.stdout.splitlines()))
    assert sum(Decimal(row["spend"]) for row in rows) == told
    assert {"facebook", "instagram"} < {row["publisher_platform"] for row in rows}
    counted = list(csv.DictReader(by_platform.stdout.splitlines()))
    # Link clicks are on Meta, where nobody is late and none follows a view.
    assert counted
    assert all(0 < Decimal(row["within_7_days"]) == Decimal(row["clicks"]) for row in counted)


def test_the_example_has_comments_and_stands_in_the_dictionary(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)

    published = checkout.run("publish")
    comments = checkout.run(
        "query",
        "select comment from duckdb_tables() where table_name = 'spend_by_placement' union all "
        "select comment from duckdb_columns() where table_name = 'spend_by_placement' "
        "and schema_name = 'main' and column_name in ('platform_position', 'cpm') order by all",
        "--format",
        "csv",
    )
    dictionary = checkout.run("docs")
    view = checkout.run("docs", "spend_by_placement_actions")

    assert published.returncode == 0, published.stderr
    grain = "account_id, campaign_id, date, publisher_platform, platform_position"
    assert comments.stdout.splitlines()[1:] == [
        '"Cpm; do not add up [account currency, major units]"',
        '"Place on that platform, such as feed or instagram_stories"',
        f'"Where each campaign was shown, by the day. One row per {grain}."',
    ]
    assert "## spend_by_placement\n" in dictionary.stdout
    assert view.stdout.startswith("## spend_by_placement_actions (view)\n")
    assert view.stdout in dictionary.stdout


@pytest.mark.slow
def test_dagster_has_the_asset_and_its_check_and_tells_what_is_wrong(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)
    names = (
        "from dagster import AssetKey; from pipelines.definitions import defs;"
        " g = defs.resolve_asset_graph();"
    )
    shown = checkout.python(
        "-c", f"{names} print([k.to_user_string() for k in g.asset_check_keys])"
    )
    right = checkout.validate()

    # A file that no parser can read.
    (checkout.folder / "reports" / "bad.yaml").write_text("a: [\n", encoding="utf-8")
    checkout.write(EXAMPLE.replace("impressions", "impresions"))
    wrong = checkout.validate()
    broken = checkout.python(
        "-c",
        f"{names} a = g.get(AssetKey('spend_by_placement')); print(a.group_name, a.description,"
        " g.has(AssetKey('insights_daily')))",
    )

    assert "spend_by_placement:complete" in shown.stdout, shown.stderr
    assert right.returncode == 0, right.stderr
    # The code location loads; the report alone is broken, and says why on its page.
    assert wrong.returncode == 0, wrong.stdout
    assert "placement.yaml:7: fields: impresions: unknown name; did you mean impre" in wrong.stderr
    assert "reports/bad.yaml:2: YAML: " in wrong.stderr
    assert broken.stdout.startswith("broken This report cannot be loaded"), broken.stderr
    assert "reports/spend_by_placement.yaml:7: fields: impresions" in broken.stdout
    assert broken.stdout.endswith(" True\n")


@pytest.mark.slow
def test_a_wrong_report_fails_alone_by_name_with_file_line_and_rule(checkout: Checkout) -> None:
    checkout.write(EXAMPLE.replace("impressions", "impresions").replace("1d_view", "7d_view"))
    others = ("--since", "2026-11-20", "--until", "2026-11-20")

    loaded, state = checkout.run("backfill", *others), checkout.run("status", *others)
    published, planned = checkout.run("publish"), checkout.run("plan", *others)
    alone = checkout.run(*shlex.split(COMMANDS[1]))
    counted = checkout.run(
        "query", "select table_name, count(*) n from loads group by all order by all", "--format",
        "csv",
    )  # fmt: skip

    dead = "is accepted and has had no value since 2026-01-12 (Out-of-cycle changes 2025)"
    file = "reports/spend_by_placement.yaml"
    why = (
        f"  {file}:7: fields: impresions: unknown name; did you mean impressions?\n"
        f"  {file}:12: action_attribution_windows: 7d_view: {dead}\n"
    )
    for done, code in ((loaded, 1), (state, 1), (published, 1), (planned, 0)):
        assert done.returncode == code, done.stderr
        told = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        first, second = (line.strip() for line in why.splitlines())
        assert (told.count(first), told.count(second)) == (1, 1), told
        at = told.index(first)
        assert told[at + 1] == second
        assert "spend_by_placement" in "\n".join(told[at - 2 : at])
    assert alone.returncode == 2
    assert alone.stderr == f"fbinsights: The report spend_by_placement cannot be loaded:\n{why}"
    rows = {row["table_name"]: row["n"] for row in csv.DictReader(counted.stdout.splitlines())}
    accounts = str(len(checkout.sandbox.account_ids))
    assert {rows[n] for n in ("insights_hourly", "insights_daily", "insights_age_gender")} == {
        accounts
    }


@pytest.mark.slow
def test_a_refresh_loads_the_others_and_ends_with_what_is_broken(checkout: Checkout) -> None:
    checkout.write(EXAMPLE.replace("impressions", "impresions"))
    one = checkout.sandbox.account_ids[0]
    day = ("--since", "2026-11-22", "--until", "2026-11-22", "--account", one)
    checkout.run("backfill", *day, "--report", "insights_daily")

    done = checkout.run("refresh", "--account", one)

    assert done.returncode == 1
    told = [line.strip() for line in done.stderr.splitlines()]
    at = told.index("this report cannot be loaded:")
    assert told.count(told[at]) == 1, done.stderr
    assert told[at - 1] == "spend_by_placement"
    assert "insights_daily" in done.stdout


@pytest.mark.slow
def test_what_we_do_not_know_is_asked_for_with_a_warning_and_refused_in_metas_words(
    checkout: Checkout,
) -> None:
    more = EXAMPLE.replace("    - cpm\n", "    - cpm\n    - sandbox_attention\n")
    checkout.write(f"{more}  allow_unknown: true\n")

    loaded = checkout.run(*shlex.split(COMMANDS[1]))
    asked = checkout.run(
        "query",
        "select sum((sandbox_attention ->> '$.seconds')::int) = sum(impressions) as same"
        " from spend_by_placement",
        "--format",
        "csv",
    )
    checkout.write(f"{more.replace('sandbox_attention', 'no_such_thing')}  allow_unknown: true\n")
    refused = checkout.run(*shlex.split(COMMANDS[1]))

    warning = (
        "placement.yaml:11: fields: sandbox_attention: unknown name; requested anyway because of"
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stderr.count(warning) == 1
    assert asked.stdout.splitlines() == ['"same"', "true"]
    assert refused.returncode == 1
    assert "(#100) no_such_thing is not valid for fields param" in refused.stderr
    assert "unproven: Meta did not deliver no_such_thing" in refused.stderr


#: Files that are meant for reports and are none: text, and what is told of it.
BAD = {
    "bad.yml": (EXAMPLE.replace("type:", "typ:"), "2: type: is missing: write type"),
    "component.yaml": ("type: dagster.DefsFolderComponent\n", "1: type: dagster.DefsFolderComp"),
    "eu/defs.yaml": (EXAMPLE.replace("Insights", "Insight"), "InsightReport: write type: "),
    "us/defs.yaml": (EXAMPLE.replace("level: ", "colour: 7\n  level: "), "colour: is not"),
    "cut.yaml": ("a: [", "YAML: "),
    "empty.yaml": ("", "1: document: is empty: write type: "),
    "letters.yaml": (EXAMPLE.replace("spend_by_placement", "überblick"), "use only a-z"),
    "job.yaml": (EXAMPLE.replace("spend_by_placement", "__ASSET_JOB"), "name: __ASSET_JOB: "),
    "command.yaml": (EXAMPLE.replace("name: spend_by_placement", "name: refresh"), "is reserved"),
    "word.yaml": (EXAMPLE.replace("name: spend_by_placement", "name: select"), "is reserved"),
}


def test_no_file_that_is_meant_for_a_report_is_ignored_or_takes_others_down(
    checkout: Checkout,
) -> None:
    checkout.write(EXAMPLE.replace("spend_by_placement", "other_report"))
    for name, (text, _) in BAD.items():
        bad = checkout.folder / "reports" / name
        bad.parent.mkdir(exist_ok=True)
        bad.write_text(text, encoding="utf-8")

    planned = checkout.run("plan", "--since", "2026-11-20", "--until", "2026-11-20")
    dagster = checkout.validate()

    assert planned.returncode == 0
    assert "other_report" in planned.stdout
    assert dagster.returncode == 0, dagster.stderr
    for done in (planned, dagster):
        lines = [line for line in done.stderr.splitlines() if "reports/" in line]
        untold = {
            name
            for name, (_, told) in BAD.items()
            if not any(f"reports/{name}:" in line and told in line for line in lines)
        }
        assert untold == set(), done.stderr


def test_a_day_before_the_report_begins_is_refused_with_what_to_do(checkout: Checkout) -> None:
    checkout.write(EXAMPLE)

    done = checkout.run("backfill", "--since", "2025-12-31", "--until", "2026-01-02")

    assert done.returncode == 2
    assert "is before the start_date of spend_by_placement, 2026-01-01" in done.stderr


@pytest.mark.slow
def test_what_was_loaded_of_a_report_that_is_gone_stays_until_its_definition_goes_too(
    checkout: Checkout,
) -> None:
    """So it is for every process that does not know the report, such as a worker's."""
    checkout.write(EXAMPLE)
    checkout.run(*shlex.split(COMMANDS[1]))
    counted = "select count(*) from spend_by_placement_actions"
    before = checkout.run("query", counted, "--format", "csv")
    snapshots = checkout.folder / "lake" / ".snapshots"
    numbers = [path.name for path in snapshots.glob("0*")]
    checkout.report.unlink()

    done = checkout.run("publish")
    after = checkout.run("query", counted, "--format", "csv")

    assert (done.returncode, before.returncode) == (0, 0)
    assert int(before.stdout.splitlines()[1]) > 0
    assert after.stdout == before.stdout
    assert [path.name for path in snapshots.glob("0*")] == numbers, "nothing was rebuilt"
    lake = checkout.folder / "lake"
    assert (
        "No report here fills 1 table: spend_by_placement. What was loaded is published."
        in done.stderr
    )
    assert f"delete {lake}/.tables/spend_by_placement.json and {lake}/spend_by_p" in done.stderr
    (lake / ".tables" / "spend_by_placement.json").unlink()
    assert "no report here" not in checkout.run("publish").stderr
    asked = checkout.run("query", "from spend_by_placement")
    assert "spend_by_placement does not exist" in asked.stderr
    assert list((checkout.folder / "lake" / "spend_by_placement").rglob("data.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_notebook_elsewhere_opens_what_the_command_line_loaded_of_a_report(
    checkout: Checkout, place: str, request: pytest.FixtureRequest
) -> None:
    url = str(checkout.folder / "lake")
    if place == "bucket":
        s3 = request.getfixturevalue("s3_server")
        url = f"s3://{s3.new_bucket()}/lake"
        checkout.environ |= {**s3.environ, "WAREHOUSE_LOCAL": str(checkout.folder / "here")}
    checkout.environ["WAREHOUSE_URL"] = url
    checkout.write(EXAMPLE)
    loaded = checkout.run(*shlex.split(COMMANDS[1]))
    counted = "select count(*) from spend_by_placement_actions"
    before = checkout.run("query", counted, "--format", "csv")

    # Another machine, where nobody has published and nobody knows the report.
    checkout.report.unlink()
    checkout.environ["WAREHOUSE_LOCAL"] = str(checkout.folder / "elsewhere")
    shutil.rmtree(checkout.folder / "lake" / ".snapshots", ignore_errors=True)
    (checkout.folder / "lake" / "warehouse.duckdb").unlink(missing_ok=True)
    code = f"import warehouse; print(warehouse.open({url!r}).sql({counted!r}).fetchall()[0][0])"
    opened = checkout.python("-c", code)

    assert (loaded.returncode, before.returncode) == (0, 0), loaded.stderr
    assert int(before.stdout.splitlines()[1]) > 0
    assert (opened.stdout, opened.stderr) == (f"{before.stdout.splitlines()[1]}\n", "")


def test_the_docs_name_every_key_and_every_reason() -> None:
    for key in ReportSpec.model_fields:
        assert f"| `{key}` |" in DOCS
    for _, why in NO_SUMS:
        assert f"| {why} |" in DOCS
