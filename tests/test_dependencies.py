"""What is imported is declared, what is declared is used, and a load imports no server."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fbgraph.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("fbgraph", "pipelines", "warehouse")
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

#: Declared, though nothing imports it → why.
NOT_IMPORTED: Final = {
    "dagster-postgres": "dagster.postgres.yaml names it",
    "dagster-webserver": "`dagster dev` starts it",
    "duckdb-cli": "`fbinsights sql` runs the program in it",
    "python-multipart": "starlette reads forms with it, for the sandbox",
    "pytz": "DuckDB returns instants with it",
    "tzdata": "zoneinfo reads it",
}

#: Imported where somebody has it, and declared nowhere → why.
OPTIONAL: Final = {"botocore": "credentials of profiles, where boto3 is installed"}

#: For type checkers alone.
STUBS: Final = {"_typeshed"}

#: Extra → the only modules that may import what it declares.
ONLY_HERE: Final = {
    "mcp": {"pipelines/agents/server.py"},
    "s3": {"warehouse/storage/bucket.py", "warehouse/storage/clouds.py"},
    "scale": {"pipelines/celery_launcher.py"},
}


def _named(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", name, maxsplit=1)[0].lower() for name in requirements}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _imported() -> dict[str, set[str]]:
    """Distribution → the files that import something of it."""
    known, found = packages_distributions(), dict[str, set[str]]()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            top = name.partition(".")[0]
            if top not in {*sys.stdlib_module_names, *PACKAGES, *STUBS}:
                distribution = known[top][0].lower()
                found.setdefault(distribution, set()).add(str(path.relative_to(ROOT)))
    return found


def test_everything_that_is_imported_is_declared_where_it_is_needed() -> None:
    extras = PROJECT["optional-dependencies"]
    may = {
        name: where for extra, where in ONLY_HERE.items() for name in _named(extras[extra])
    } | dict.fromkeys(OPTIONAL, ONLY_HERE["s3"])
    core = _named(PROJECT["dependencies"])

    for distribution, files in _imported().items():
        assert distribution in core or files <= may.get(distribution, set()), distribution


def test_everything_that_is_declared_is_used() -> None:
    extras = PROJECT["optional-dependencies"]
    declared = _named(PROJECT["dependencies"]).union(*(_named(extras[name]) for name in ONLY_HERE))

    assert declared - _imported().keys() == {*NOT_IMPORTED}
    assert extras["s3"] == extras["gcs"] == extras["azure"]


def test_the_developers_have_every_extra_for_users() -> None:
    extras = PROJECT["optional-dependencies"]

    assert {*extras["s3"], *extras["mcp"]} <= {*extras["dev"]}


def test_the_lock_pins_what_is_declared() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {line.partition("==")[0] for line in lines}
    extras = PROJECT["optional-dependencies"].values()
    declared = _named([*PROJECT["dependencies"], *(name for extra in extras for name in extra)])

    assert declared - locked == set()
    assert all("==" in line for line in lines)


LOADS: Final = """
import sys
sys.argv = ["fbinsights", "backfill", *sys.argv[1:]]
from pipelines.cli.main import main
servers = ("starlette", "uvicorn", "multipart", "python_multipart", "fbgraph.sandbox")
try:
    main()
finally:
    print("servers:", [name for name in servers if name in sys.modules])
"""


def test_a_load_imports_no_server(tmp_path: Path) -> None:
    day = str(datetime.now(UTC).date() - timedelta(days=3))
    with Sandbox(world="hostile", accounts=1) as sandbox:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DAGSTER_HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "FB_GRAPH_URL": sandbox.url,
            "FB_ACCESS_TOKEN": sandbox.token,
            "WAREHOUSE_URL": str(tmp_path / "lake"),
        }
        (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        done = subprocess.run(  # noqa: S603  our own code
            [sys.executable, "-c", LOADS, "--since", day, "--until", day],
            env=environ,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stderr
    assert "servers: []" in done.stdout
    assert list(tmp_path.glob("lake/insights_hourly/*/*/data.parquet"))
