"""Questions as prompts: those of docs/questions.md, which the package has a copy of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Question", "questions"]

#: A section of the page: its title, then texts around one block of SQL.
_SECTION: Final = re.compile(
    r"\d+\. (?P<title>[^\n]+)\n(?P<text>.*?)```sql\n(?P<sql>.*?)```(?P<after>.*)", re.DOTALL
)

#: A link of Markdown: a model cannot follow it.
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")

_HOW: Final = """\
{title}

{text}

Run this with the tool `query`. Put conditions on account, campaign and days into it as they were \
asked for:

```sql
{sql}
```

Before you draw conclusions, ask the tool `trust` about the accounts and days that you use, and \
say which numbers are not proven. Money is in the currency of each account: never add up currencies.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what there is to know about it, and the SQL that answers it."""

    title: str
    text: str
    sql: str

    @property
    def name(self) -> str:
        """Its name as a prompt: ``are_we_on_pace``."""
        return "_".join(re.findall("[a-z0-9]+", self.title.lower()))

    @property
    def prompt(self) -> str:
        """What a model is given."""
        return _HOW.format(title=self.title, text=self.text, sql=self.sql)


def questions() -> Sequence[Question]:
    """Those of the page, in its order."""
    return list(questions_in(files(__package__).joinpath("questions.md").read_text("utf-8")))


def questions_in(page: str) -> Iterator[Question]:
    """Each section of a page that has a number and a block of SQL."""
    for section in page.split("\n## ")[1:]:
        if found := _SECTION.fullmatch(section):
            texts = (_LINK.sub(r"\1", found[part]).strip() for part in ("text", "after"))
            yield Question(found["title"], "\n\n".join(filter(None, texts)), found["sql"].strip())
