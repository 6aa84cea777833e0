from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.project.env_file import EXAMPLE_HEAD, env_text
from pipelines.project.folder import TEMPLATES, complete, contents, unignored
from pipelines.variables import VARIABLES

ROOT = Path(__file__).resolve().parents[3]


def test_a_new_folder_has_every_template_and_its_secrets_are_its_owners_alone(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "new" / "ads"

    done = complete(folder, contents())

    assert {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } == {*done.made}
    assert {".env", ".gitignore", "dagster.yaml", "reports/README.md"} <= {*done.made}
    assert done.kept == []
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_a_second_time_it_completes_what_is_missing_and_writes_over_nothing(
    tmp_path: Path,
) -> None:
    complete(tmp_path, contents())
    (tmp_path / "dagster.yaml").write_text("mine: {}\n")
    (tmp_path / "reports" / "README.md").unlink()
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").symlink_to("/nowhere/secrets")  # comes when the vault is mounted

    done = complete(tmp_path, contents())

    assert done.made == ["reports/README.md"]
    assert {".env", "dagster.yaml", ".gitignore"} <= {*done.kept}
    assert (tmp_path / "dagster.yaml").read_text() == "mine: {}\n"
    assert not (tmp_path / ".env").exists()


def test_a_gitignore_of_ones_own_lets_nothing_of_ours_into_git(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# mine\n/data\n*.pyc\n")
    complete(tmp_path, contents())

    assert unignored(tmp_path) == [".env", ".dagster", ".tmp_dagster_home_*"]


def test_the_database_of_compose_has_a_password_of_its_own() -> None:
    lines = contents("5ec7e7")[".env"].splitlines()

    assert "POSTGRES_PASSWORD=5ec7e7" in lines


def test_the_checkout_is_such_a_folder() -> None:
    """What `init` writes and what the checkout has is one text each."""
    ours = (ROOT / "dagster.yaml").read_text(encoding="utf-8")

    assert ours == (TEMPLATES / "dagster.yaml").read_text(encoding="utf-8")
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_text(EXAMPLE_HEAD)
    assert unignored(ROOT) == []


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: str(variable.name))
def test_every_variable_is_in_a_new_env_with_its_default(variable: object) -> None:
    assert isinstance(variable, type(VARIABLES[0]))
    lines = contents()[".env"].splitlines()

    value = variable.default or variable.example
    is_required = variable.name == "FB_ACCESS_TOKEN"
    assert f"{'' if is_required else '#'}{variable.name}={value}" in lines


def test_a_file_in_the_place_of_a_folder_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()

    with pytest.raises(
        ConfigError, match=r"reports is not a folder, and .* Move it away, then run"
    ):
        complete(tmp_path, {"reports/mine.yaml": ""})
