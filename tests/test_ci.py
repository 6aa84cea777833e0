"""Somebody else's CI runs what ours runs, and pre-commit what `make check` runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
WORKFLOWS: Final = ROOT / ".github" / "workflows"


def workflow(name: str) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    found: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in found.items()}


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def test_github_runs_what_ci_runs_on_every_push_and_request() -> None:
    ci = workflow("ci.yml")

    assert set(ci["on"]) == {"push", "pull_request"}
    assert commands(ci["jobs"]["ci"]).strip() == "bash .ci/run"
    assert ci["permissions"] == {"contents": "read"}


def test_packages_are_cached_by_every_list_that_ci_installs() -> None:
    [key] = [step["with"]["key"] for step in workflow("ci.yml")["jobs"]["ci"]["steps"][1:2]]
    makes = re.findall(r"^make ([\w-]+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)

    assert re.findall(r"'([^']+)'", key) == ["requirements.lock", "examples/dbt/requirements.txt"]
    assert "test-dbt" in makes


def test_a_release_is_a_tag_that_ci_has_passed_and_needs_no_kept_token() -> None:
    release = workflow("release.yml")

    assert release["on"] == {"push": {"tags": ["v*"]}}
    assert "bash .ci/run" in commands(release["jobs"]["build"])
    assert release["jobs"]["publish"]["needs"] == "build"
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (WORKFLOWS / "release.yml").read_text(encoding="utf-8")


def test_links_and_pictures_of_a_released_readme_lead_to_the_repository(tmp_path: Path) -> None:
    [change] = [
        step["run"]
        for step in workflow("release.yml")["jobs"]["build"]["steps"]
        if "README.md" in step.get("run", "")
    ]
    shutil.copy(ROOT / "README.md", tmp_path)
    names = {"GITHUB_REPOSITORY": "some/body", "GITHUB_REF_NAME": "v1"}

    subprocess.run(["bash", "-ec", change], cwd=tmp_path, env=os.environ | names, check=True)  # noqa: S603, S607  ours

    links = re.findall(r"\]\(([^)]+)\)", (tmp_path / "README.md").read_text(encoding="utf-8"))
    assert "https://github.com/some/body/raw/v1/docs/img/overview.png" in links
    assert "https://github.com/some/body/blob/v1/docs/graph-api.md#filters" in links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_both_have_time_for_it_and_the_oldest_python_that_is_claimed() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    claimed = re.search(r'requires-python = ">=([\d.]+)', project)
    assert claimed
    for job in (workflow("ci.yml")["jobs"]["ci"], workflow("release.yml")["jobs"]["build"]):
        assert job["timeout-minutes"] == 90
        assert job["container"].startswith(f"python:{claimed[1]}-")


def test_pre_commit_has_the_commands_of_make_check() -> None:
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [repo] = settings["repos"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ncheck:")[1].split("\n\n")[0]
    checked = re.findall(r"\$\(BIN\)/(ruff \w+|mypy)", recipe)

    assert repo["repo"] == "local"
    hooked = {
        " ".join(hook["entry"].removeprefix(".venv/bin/").split()[:2]) for hook in repo["hooks"]
    }
    assert set(checked) == {"ruff check", "ruff format", "mypy"}
    assert set(checked) <= hooked
    assert all(hook["language"] == "system" for hook in repo["hooks"])
