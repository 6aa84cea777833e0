"""`fbinsights add`: the list, and names that cannot be added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.cli.commands.add import run_add
from pipelines.errors import ConfigError
from pipelines.project.folder import complete, contents
from pipelines.project.ready_reports import ready_reports
from pipelines.reports.catalog import reports_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reports of a new project folder."""
    complete(tmp_path, contents("password"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


def add(*names: str) -> int:
    return run_add({}, reports_of({}), names)


@pytest.mark.usefixtures("folder")
def test_without_a_name_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code = add()

    printed = capsys.readouterr()
    assert code == 0
    assert printed.out.count("insights_") == len(ready_reports())
    assert "insights_country" in printed.out
    assert "proven all: " in printed.err


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("country", "contry", "pixels"), "Did you mean insights_country?"),
        (("country", "labels"), "A table of objects labels exists already"),
        (("country", "insights_carousel"), "A report insights_carousel exists already"),
        (("country", "region"), "reports/insights_region.yaml exists already. Nothing was changed"),
    ],
)
def test_a_name_that_is_none_or_taken_adds_nothing(
    folder: Path, names: tuple[str, ...], why: str
) -> None:
    add("labels", "carousel")
    (folder / "insights_region.yaml").write_text("mine: 1\n")
    before = sorted(folder.iterdir())

    with pytest.raises(ConfigError, match=why):
        add(*names)

    assert sorted(folder.iterdir()) == before
