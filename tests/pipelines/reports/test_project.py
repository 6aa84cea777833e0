"""Reports among the components of a Dagster project, read without Dagster."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipelines.asset_keys import AssetKeys
from pipelines.errors import ConfigError
from pipelines.reports.catalog import Reports, reports_of

MINE = """\
type: pipelines.components.InsightsReport
attributes:
  name: mine
  level: campaign
  fields: [spend]
"""
WAREHOUSE = "type: pipelines.components.Warehouse\nattributes: {key_prefix: [ads, meta]}\n"
SETTINGS = '[tool.dg.project]\nroot_module = "acme"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a project, in which a command is started."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "src" / "acme" / "defs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str = MINE) -> None:
    file = Path("src/acme/defs", path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def own(reports: Reports) -> set[str]:
    return set(reports.by_name) - {"insights_hourly", "insights_daily"}


def test_the_files_that_dagster_reads_are_read_and_no_others() -> None:
    for path in ("a/defs.yaml", "b/defs.yml", "c/component.yaml", "c/d/e/defs.yaml"):
        write(path, MINE.replace("mine", path.replace("/", "_").partition(".")[0]))
    write("a/below/defs.yaml", MINE.replace("mine", "below_another_component"))
    write("a/defs.yml", MINE.replace("mine", "of_less_weight"))
    write("b/settings.yaml", "dbt: {models: []}\n")
    write(".hidden/defs.yaml", MINE.replace("mine", "hidden"))

    found = reports_of({})

    assert found.problems == ()
    assert own(found) == {"a_defs", "b_defs", "c_component"} == set(found.components)


def test_folders_below_a_folder_component_are_read() -> None:
    write("defs.yaml", "type: dagster.DefsFolderComponent\npost_processing: {assets: []}\n")
    write("team/mine/defs.yaml")

    assert own(reports_of({})) == {"mine"}


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ("[project]\nroot_module = 'acme'\n", "src/acme/defs"),
        ("[project]\nroot_module = 'acme'\ndefs_module = 'acme.meta'\n", "src/acme/meta"),
    ],
)  # fmt: skip
def test_dg_toml_says_where_definitions_are_too(here: Path, settings: str, folder: str) -> None:
    (here / "pyproject.toml").unlink()
    (here / "dg.toml").write_text(settings, encoding="utf-8")
    (here / folder / "mine").mkdir(parents=True)
    (here / folder / "mine" / "defs.yaml").write_text(MINE, encoding="utf-8")

    assert own(reports_of({})) == {"mine"}


def test_a_project_whose_definitions_are_not_found_is_reported(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "pyproject.toml").write_text(SETTINGS.replace("acme", "other"), encoding="utf-8")

    assert own(reports_of({})) == set()
    [warning] = caplog.messages
    assert "src/other/defs of the definitions of this Dagster project does not exist" in warning


@pytest.mark.parametrize("at", [".", "src", "src/acme/defs", "src/acme/defs/mine"])
def test_fb_reports_may_name_a_project_or_part_of_it(
    here: Path, at: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("mine/defs.yaml")
    write("meta/defs.yaml", WAREHOUSE)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    found = reports_of({"FB_REPORTS": str(here / at)})

    assert own(found) == {"mine"}
    assert AssetKeys.of(found)("mine") == dg.AssetKey(["ads", "meta", "mine"])


def test_a_folder_of_reports_alone_is_read_next_to_a_project(here: Path) -> None:
    write("mine/defs.yaml")
    (here / "reports").mkdir()
    (here / "reports" / "any.yaml").write_text(MINE.replace("mine", "two"), encoding="utf-8")

    found = reports_of({})

    assert (own(found), set(found.components)) == ({"mine", "two"}, {"mine"})


def test_other_components_are_none_of_our_business_even_where_they_are_alike() -> None:
    write("a/defs.yaml", MINE.replace("pipelines.components", "acme.components"))
    write("b/defs.yaml", "type: acme.Thing\nattributes: {level: '{{ level }}', fields: 7}\n")
    write("c/defs.yaml", "a: [")

    assert reports_of({}).problems == ()


def test_what_dagster_allows_around_a_report_is_allowed() -> None:
    more = (
        "post_processing: {assets: [{attributes: {tags: {team: ads}}}]}\nrequirements: {env: []}\n"
    )
    write("mine/defs.yaml", MINE + more)

    assert own(reports_of({})) == {"mine"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (MINE.replace("InsightsReport", "InsightReport"), "1: type: pipelines.components.Insigh"),
        (MINE.partition("\n")[2], "1: type: is missing"),
        (MINE.replace("spend", "spent"), "5: fields: spent: unknown name; did you mean spend?"),
        (MINE + "  key_prefix: a/b\n", "6: key_prefix: a/b: use letters, digits, _ and - only"),
        (MINE + "  group_name: a-b\n", "6: group_name: a-b: use letters, digits and _ only"),
        (MINE + "  start_date: '{{ today }}'\n", "6: start_date: {{ today }}: expected a day"),
        (MINE + "  x: [", "6: YAML: "),
    ],
)
def test_what_is_wrong_is_reported_with_file_and_line(text: str, why: str) -> None:
    write("mine/defs.yaml", text)

    [fault] = reports_of({}).faults

    assert fault.startswith(f"src/acme/defs/mine/defs.yaml:{why}")


def test_a_value_of_the_environment_is_read_as_dagster_reads_it() -> None:
    write("mine/defs.yaml", MINE + "  start_date: '{{ env.SINCE }}'\n")

    assert str(reports_of({"SINCE": "2026-01-01"}).by_name["mine"].spec.start_date) == "2026-01-01"
    [unset] = reports_of({}).faults
    assert "start_date: {{ env.SINCE }}: expected a day" in unset


def test_reports_are_under_the_prefix_of_the_warehouse_unless_they_have_their_own() -> None:
    write("meta/defs.yaml", WAREHOUSE + "---\n" + MINE)
    for name, prefix in (("two", "sales"), ("three", "[]"), ("four", "[a, b]")):
        write(f"{name}/defs.yaml", f"{MINE.replace('mine', name)}  key_prefix: {prefix}\n")

    keys = AssetKeys.of(reports_of({}))

    named = ("accounts", "insights_daily", "mine", "two", "three", "four")
    assert [keys(name).to_user_string() for name in named] == [
        *("ads/meta/accounts", "ads/meta/insights_daily", "ads/meta/mine"),
        *("sales/two", "three", "a/b/four"),
    ]


def test_groups_are_those_of_the_warehouse_unless_a_report_has_its_own() -> None:
    write("meta/defs.yaml", WAREHOUSE.replace("key_prefix: [ads, meta]", "group_name: paid"))
    write("mine/defs.yaml", f"{MINE}  group_name: mine/own\n")

    keys = AssetKeys.of(reports_of({}))

    assert keys.group_of("mine", "insights") == "mine/own"
    assert keys.group_of("accounts", "objects") == "paid"
    assert AssetKeys().group_of("accounts", "objects") == "objects"


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ("{prefix: [a]}", "2: prefix: is not a key of a warehouse; did you mean key_prefix?"),
        ("{key_prefix: 7}", "2: key_prefix: 7: expected a list, like [marketing, meta]"),
        ("{group_name: a b}", "2: group_name: a b: use letters, digits and _ only"),
        ("[a]", "2: attributes: expected keys with values"),
    ],
)
def test_a_warehouse_that_cannot_be_read_leaves_keys_unknown(attributes: str, why: str) -> None:
    kind = WAREHOUSE.splitlines()[0]
    write("meta/defs.yaml", f"{kind}\nattributes: {attributes}\n")
    write("mine/defs.yaml")

    found = reports_of({})

    assert own(found) == {"mine"}
    [fault] = found.faults
    assert fault.startswith(f"src/acme/defs/meta/defs.yaml:{why}")
    with pytest.raises(ConfigError, match="`fbinsights check` says what is wrong"):
        AssetKeys.of(found)


def test_a_second_warehouse_is_one_too_many() -> None:
    write("a/defs.yaml", WAREHOUSE)
    write("b/defs.yaml", WAREHOUSE)

    [fault] = reports_of({}).faults

    assert fault.startswith("src/acme/defs/b/defs.yaml:1: type: pipelines.components.Warehouse: ")
    assert fault.endswith("there is one already in src/acme/defs/a/defs.yaml:2: remove one")
