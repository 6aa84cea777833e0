"""The pages for people say what is so: their links lead somewhere, their tables are the code's."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Final

import pytest

from fbgraph.errors import RULES
from fbgraph.limits.retry import RetryPolicy
from tests.test_layers import MAY_IMPORT
from warehouse.storage import retry as bucket

ROOT: Final = Path(__file__).resolve().parents[1]
ARCHITECTURE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GRAPH_API: Final = (ROOT / "docs" / "graph-api.md").read_text(encoding="utf-8")
PAGES: Final = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "*/README.md", "*/*/README.md", "*/*/*/README.md")
    for path in ROOT.glob(pattern)
    if not path.relative_to(ROOT).parts[0].startswith(".")
)

#: The report that a reader of docs/reports.md makes.
MADE: Final = "spend_by_placement"

#: A file of ours, named in text: from the first folder on, without placeholders.
NAMED: Final = re.compile(r"`((?:fbgraph|warehouse|pipelines|tests|benchmarks)/[\w./-]+)`")
CLIENT: Final = "\n".join(
    path.read_text(encoding="utf-8")
    for path in ROOT.glob("fbgraph/**/*.py")
    if "sandbox" not in path.parts
)


def between(text: str, mark: str) -> list[list[str]]:
    """The cells of the rows of a table between two marks."""
    table = text.split(f"<!-- {mark} -->\n")[1].split(f"<!-- /{mark} -->", maxsplit=1)[0]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]


def anchors(page: Path) -> set[str]:
    """What a link to a heading of a page is written with, as GitHub makes it."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]

    for link in links:
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


def test_the_readme_fits_a_reader() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))

    assert [one for one in named if MADE not in one and not (ROOT / one).exists()] == []


def test_the_rooms_of_the_architecture_are_those_of_the_code() -> None:
    rooms = [room.strip("`") for room, *_ in between(ARCHITECTURE, "rooms")]

    assert sorted(rooms) == sorted(room for room in MAY_IMPORT if room.count(".") == 1)


def test_every_place_to_change_something_is_a_file() -> None:
    answers = between(ARCHITECTURE, "where")

    assert len(answers) == 33
    assert all(NAMED.search(answer) for _, answer in answers)


def test_the_table_of_errors_is_that_of_the_client() -> None:
    shown = [
        (codes_of(codes), int(subcode) if subcode else None, text, kind.strip("`"))
        for codes, subcode, text, _, kind, _ in between(GRAPH_API, "errors")
    ]
    numbers = set(range(-9, 90_000)).union(*(codes for codes, *_ in shown))

    assert len(shown) == len(RULES)
    for (codes, *rest), rule in zip(shown, RULES, strict=True):
        assert rest == [rule.subcode, rule.text, rule.kind.__name__]
        assert codes == {code for code in numbers if code in rule.codes}


def codes_of(text: str) -> set[int]:
    """ "1, 2" or "200 to 299"."""
    first, _, last = text.partition(" to ")
    return set(range(int(first), int(last) + 1)) if last else set(map(int, text.split(", ")))


def test_the_numbers_that_are_our_choice_are_those_of_the_code() -> None:
    for name, value, _ in between(GRAPH_API, "numbers"):
        found = re.findall(rf"^{name.strip('`')}: Final = ([\d.* ]+)$", CLIENT, re.MULTILINE)
        assert {eval(one) for one in found} == {float(value)}, name  # noqa: S307  # digits and stars


def test_the_tables_of_what_is_tried_again_are_the_policies_of_the_code() -> None:
    shown = {
        name.strip("`"): [float(cell.removesuffix(" s") or "inf") for cell in cells]
        for name, _, *cells in between(GRAPH_API, "retries")
    }

    assert shown == {
        f"{module.__name__}.{name}": [
            *(policy.attempts, policy.first_seconds, policy.most_seconds),
            *(policy.jitter, policy.budget_seconds),
        ]
        for module in map(importlib.import_module, CODE_OF_POLICIES)
        for name, policy in vars(module).items()
        if isinstance(policy, RetryPolicy)
    }
    assert {
        name.strip("`"): int(attempts) for name, attempts, _ in between(GRAPH_API, "bucket retries")
    } == {name: getattr(bucket, name) for name in bucket.__all__ if name.isupper()}


def test_everything_that_is_tried_again_has_a_policy() -> None:
    makes = re.compile(r"= RetryPolicy\(|tenacity\.Retrying\(|\bretries=\d|stop_after_attempt")
    found = {
        str(path.relative_to(ROOT))
        for path in CODE
        if ROOT / "tests" not in path.parents and makes.search(path.read_text(encoding="utf-8"))
    }

    policies = {name.replace(".", "/") + ".py" for name in CODE_OF_POLICIES}
    assert found == {*policies, "warehouse/storage/retry.py"}


#: Modules that define policies.
CODE_OF_POLICIES: Final = ("fbgraph.limits.retry", "pipelines.defs.alerts")

CODE: Final = [
    path
    for room in ("fbgraph", "warehouse", "pipelines", "tests", "benchmarks")
    for path in sorted(ROOT.glob(f"{room}/**/*.py"))
]

#: A page, or several of its headings: ``docs/graph-api.md#errors, #limits``.
CITED: Final = re.compile(r"\b(docs/[\w-]+\.md)((?:,?\s#[\w-]+|#[\w-]+)*)")

#: Numbered sections of pages that are not in the repository.
ELSEWHERE: Final = re.compile(r"(?:contract|design)\s+§?\d|§\s?\d", re.IGNORECASE)


def test_comments_cite_pages_of_the_repository_and_headings_that_are_there() -> None:
    wrong = []
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        for page, headings in CITED.findall(re.sub(r"\n\s*#:? ", " ", text)):
            known = anchors(ROOT / page) if (ROOT / page).exists() else set()
            cited = set(re.findall(r"#([\w-]+)", headings))
            wrong += [(path.name, page, name) for name in cited - known]
            wrong += [] if known else [(path.name, page, "")]
        wrong += [(path.name, found, "") for found in ELSEWHERE.findall(text)]

    assert wrong == []
