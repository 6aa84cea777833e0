"""The templates that keep fbinsights running: compose.yaml, Dockerfile, the unit of systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.image.compose import interpolated

ROOT: Final = Path(__file__).resolve().parents[3]
TEMPLATES: Final = ROOT / "pipelines" / "project" / "templates"
COMPOSE: Final = (TEMPLATES / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE: Final = (TEMPLATES / "deploy" / "Dockerfile").read_text(encoding="utf-8")
UNIT: Final = TEMPLATES / "deploy" / "fbinsights.service"
DEPLOY: Final = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

OURS: Final = {"code", "daemon", "webserver"}


def services(**variables: str) -> dict[str, Any]:
    values = {"POSTGRES_PASSWORD": "letters4digits", **variables}
    found: dict[str, Any] = yaml.safe_load(interpolated(COMPOSE, values))["services"]
    return found


def test_compose_has_pages_daemon_code_and_postgres() -> None:
    assert set(services()) == {*OURS, "postgres"}


def test_only_the_code_server_reads_env_with_the_token() -> None:
    assert [name for name, one in services().items() if "env_file" in one] == ["code"]
    assert "FB_ACCESS_TOKEN" not in re.sub(r"#.*", "", COMPOSE)


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_may_write_to_their_volumes_alone(name: str) -> None:
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {text.split(":")[1] for text in service["volumes"] if not text.endswith(":ro")} == {
        "/project/.dagster",
        "/project/data",
    }


def test_every_container_is_checked_and_restarted() -> None:
    for name, service in services().items():
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert all(
            how == {"condition": "service_healthy"}
            for how in service.get("depends_on", {}).values()
        )


def test_the_pages_listen_on_this_machine_alone() -> None:
    published = {name: one["ports"] for name, one in services().items() if "ports" in one}

    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


def test_a_password_is_asked_for_by_name() -> None:
    with pytest.raises(ValueError, match="Put POSTGRES_PASSWORD in "):
        services(POSTGRES_PASSWORD="")


def test_every_variable_of_compose_is_on_the_page() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))

    assert asked == set(
        re.findall(r"^\| `(\w+)` \| ", DEPLOY.split("| in .env |")[1], re.MULTILINE)
    )


def test_files_that_compose_names_are_in_a_project_folder() -> None:
    named = {text.split(":")[0] for one in services().values() for text in one.get("volumes", [])}
    named |= {f"./{services()['code']['build']['dockerfile']}"}
    files = {name for name in named if name.startswith("./") and name != "./reports"}

    assert len(files) == 2
    assert all((TEMPLATES / name).is_file() for name in files)


def test_the_image_runs_as_a_user_with_an_init_and_a_check() -> None:
    first, last = DOCKERFILE.split("FROM ${BASE}\n")

    assert "gcc" in first
    assert "gcc" not in last
    assert re.search(r"^USER fbinsights$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["/usr/bin/tini", "--"]' in last
    assert "HEALTHCHECK" in last


def test_only_what_an_image_is_made_of_is_sent_to_the_builder() -> None:
    lines = (TEMPLATES / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_through = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}

    assert rules[0] == "*"
    assert not {name for name in let_through if name.startswith((".", "data", "reports"))}


def unit_with(folder: Path) -> Path:
    """The unit with programs that are there."""
    here = Path(sys.executable).parent
    text = UNIT.read_text(encoding="utf-8").replace("/opt/fbinsights/bin", str(here))
    copy = folder / UNIT.name
    copy.write_text(text.replace("=fbinsights\n", "=daemon\n"))
    return copy


def systemd(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(  # noqa: S603  # fixed
        [found, *arguments], capture_output=True, text=True, check=False
    )


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    done = systemd("verify", str(unit_with(tmp_path)))

    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_little_that_the_unit_may_do(tmp_path: Path) -> None:
    done = systemd("security", "--offline=true", "--threshold=25", str(unit_with(tmp_path)))

    assert done.returncode == 0, done.stdout
