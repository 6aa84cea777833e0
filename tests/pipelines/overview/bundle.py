"""Makes the page's bundle of Vega again, with the licences of what is in it.

`make vega` runs it: it needs npm, and pip's index or a mirror of it. What it writes are package
data, so that nobody who makes a page installs any of this.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ASSETS: Final = Path(__file__).parents[3] / "pipelines" / "overview" / "assets"

#: What bundles Vega for browsers.
BUNDLER: Final = "vl-convert-python==1.9.0"

#: What it bundles, by npm's names; what these need comes with them.
BUNDLED: Final = (
    *("vega@6.2.0", "vega-lite@6.4.1", "vega-embed@7.0.2", "vega-themes@3.0.0"),
    "lodash.debounce@4.0.8",
)

#: Of what they need, what only their command lines use: it is not in a bundle for browsers.
NOT_BUNDLED: Final = frozenset(
    """
    ansi-regex ansi-styles cliui commander emoji-regex escalade get-caller-file
    get-east-asian-width iconv-lite rw safer-buffer string-width strip-ansi wrap-ansi y18n yargs
    yargs-parser
    """.split()
)

HEAD: Final = f"""\
vega.js, in this folder, is what vl_convert.javascript_bundle() of {BUNDLER} returns.
These packages are in it, each under its own licence:
"""


def main() -> None:
    """Write bundle, checksum and licences."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin/pip"), "install", "--quiet", BUNDLER)
        code = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"
        bundle = _run(str(folder / "bin/python"), "-X", "utf8", "-c", code)
        _run("npm", "install", "--silent", "--no-audit", "--prefix", name, *BUNDLED)
        licenses = licenses_of(folder / "node_modules")
    (ASSETS / "vega.js").write_bytes(bundle)
    digest = hashlib.sha256(bundle).hexdigest()
    (ASSETS / "vega.sha256").write_text(f"{digest}  vega.js\n")
    (ASSETS / "vega-licenses.txt").write_text(licenses, encoding="utf-8")


def licenses_of(modules: Path) -> str:
    """The packages with version and licence, then each text of a licence once."""
    packages: list[str] = []
    texts: dict[str, list[str]] = {}
    for folder in sorted(_packages(modules)):
        about: dict[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        if about["name"] in NOT_BUNDLED:
            continue
        packages.append(f"  {about['name']} {about['version']}: {about['license']}")
        for path in sorted(folder.glob("LICEN[CS]E*")):
            text = path.read_text(encoding="utf-8").replace("\r\n", "\n").strip()
            texts.setdefault(text, []).append(about["name"])
    parts = [HEAD, *packages]
    for text, names in texts.items():
        parts += ["", "-" * 72, ", ".join(names), "", text]
    lines = "\n".join(parts).split("\n")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _packages(modules: Path) -> Iterator[Path]:
    return (path.parent for path in modules.glob("*/package.json"))


def _run(*command: str) -> bytes:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603  our own


if __name__ == "__main__":
    main()
