"""The bundle of Vega that pages carry: it is the one that was recorded, with its licences."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from tests.pipelines.overview.bundle import ASSETS, BUNDLED, licenses_of

if TYPE_CHECKING:
    from pathlib import Path

REMEDY = "`make vega` makes the bundle again, with its checksum and licences"


def test_the_bundle_is_the_recorded_one_of_the_recorded_versions() -> None:
    digest, name = (ASSETS / "vega.sha256").read_text().split()
    bundle = (ASSETS / name).read_bytes()
    licenses = (ASSETS / "vega-licenses.txt").read_text(encoding="utf-8")

    assert hashlib.sha256(bundle).hexdigest() == digest, REMEDY
    for package in BUNDLED:
        name, _, version = package.rpartition("@")
        assert f"  {name} {version}: " in licenses, REMEDY
        if name in {"vega", "vega-lite"}:
            assert f'="{version}"'.encode() in bundle, REMEDY


def test_every_licence_in_the_bundle_is_named_for_the_package_index() -> None:
    licenses = (ASSETS / "vega-licenses.txt").read_text(encoding="utf-8")
    project = (ASSETS.parents[2] / "pyproject.toml").read_text(encoding="utf-8")

    found = set(re.findall(r"^  \S+ [\d.]+: (.*)$", licenses, re.MULTILINE))

    # The last two ask for nothing.
    assert found == {"BSD-3-Clause", "ISC", "MIT", "Unlicense", "0BSD"}
    assert 'license = "MIT AND BSD-3-Clause AND ISC"' in project
    assert "pipelines/overview/assets/vega-licenses.txt" in project


def test_licences_are_listed_once_each_without_what_only_command_lines_use(tmp_path: Path) -> None:
    for name in ("one", "two", "yargs"):
        folder = tmp_path / name
        folder.mkdir()
        about = {"name": name, "version": "1.0.0", "license": "ISC"}
        (folder / "package.json").write_text(json.dumps(about))
        (folder / "LICENSE").write_text("Do what you like.\r\n")

    written = licenses_of(tmp_path)

    assert written.count("Do what you like.") == 1
    assert "  one 1.0.0: ISC\n  two 1.0.0: ISC\n" in written
    assert "one, two" in written
    assert "yargs" not in written
