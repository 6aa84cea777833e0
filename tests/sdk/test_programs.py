"""One program written twice: the SDK can do here what it can do at Meta, and so can we, shorter."""

from __future__ import annotations

import io
import runpy
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fbgraph.sandbox import Sandbox

PROGRAMS = Path(__file__).parent / "programs"
SECRET = "secretOfTheSandboxApp"  # noqa: S105  # invented
STEPS = {
    *("accounts", "campaigns", "life of a campaign", "picture"),
    *("batch", "insights", "report", "errors"),
}

SPACE = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT}


def test_both_programs_bring_the_same(open_sandbox: Callable[..., Sandbox], picture: Path) -> None:
    results = []
    for program in ("with_the_sdk.py", "with_fbgraph.py"):
        sandbox = open_sandbox(app_secret=SECRET)
        run = runpy.run_path(str(PROGRAMS / program))["run"]
        results.append(run(sandbox.url, sandbox.token, SECRET, picture, lambda _: None))
    sdk, ours = results

    assert {step: ours[step] == sdk[step] for step in STEPS} == dict.fromkeys(STEPS, True)
    # What both bring is what was done, so that they are not equal by being empty.
    total, campaigns = ours["campaigns"]
    assert total == len(campaigns) > 0
    assert len(ours["accounts"]) == 7
    assert ours["life of a campaign"] == ["Frühling „東“ 🚀", "Sommer & more", "DELETED"]
    assert (ours["picture"]["width"], ours["picture"]["height"]) == (3, 2)
    assert ours["batch"][5::6] == [(100, 33)] * 10
    assert ours["batch"][3::6] == [{"success": True}] * 10
    assert ours["batch"][55][0]["name"] == "turn 8 ü&="
    assert ours["insights"] == ours["report"] != []
    assert [error[3] for error in ours["errors"]] == [[], ["time_range"]]


def test_ours_is_shorter() -> None:
    sdk, ours = (lines_of_code(PROGRAMS / name) for name in ("with_the_sdk.py", "with_fbgraph.py"))

    guide = (PROGRAMS.parents[2] / "docs/from-the-sdk.md").read_text(encoding="utf-8")
    assert ours <= 0.8 * sdk
    assert f"in {sdk} lines of code" in guide
    assert f"in {ours}." in guide


def lines_of_code(path: Path) -> int:
    """Lines that hold code: no blank ones, comments or docstrings."""
    held: set[int] = set()
    text = path.read_text(encoding="utf-8")
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and before in SPACE
        if token.type not in {*SPACE, tokenize.COMMENT, tokenize.ENDMARKER} and not is_docstring:
            held.update(range(token.start[0], token.end[0] + 1))
        before = token.type
    return len(held)
