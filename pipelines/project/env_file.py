"""The text of a `.env`, from the table of variables."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from pipelines.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EXAMPLE_HEAD", "HEAD", "env_text"]

#: What a new project folder's `.env` opens with, and the checkout's `.env.example`.
HEAD: Final = (
    "Settings of this folder, secrets included: keep it out of git. All commands run in the"
    " folder read it; the environment wins over it."
)
EXAMPLE_HEAD: Final = (
    "Copy to .env and fill in, or run `fbinsights init`. fbinsights and Dagster both read it; the"
    " environment wins over it."
)

#: Above these columns no line of a comment ends.
_WIDTH: Final = 100

#: Variables that other libraries read.
_OF_OTHERS: Final = """\
# For a bucket of S3. Keys may also come from the machine's role or, with boto3 installed, from
# ~/.aws (AWS_PROFILE). The endpoint is only for stores that are not Amazon's.
#AWS_ACCESS_KEY_ID=
#AWS_SECRET_ACCESS_KEY=
#AWS_SESSION_TOKEN=
#AWS_REGION=eu-central-1
#AWS_ENDPOINT_URL=https://minio.example.com:9000
"""

_OF_COMPOSE: Final = """\
# For compose.yaml alone: the password of Dagster's database, of letters and digits. A secret.
"""


def env_text(head: str = HEAD, database_password: str = "") -> str:
    """Every variable with what it means: the required one to be filled in, the others as comments
    with their defaults, and the password that compose.yaml gives Dagster's database.
    """
    mark = "" if database_password else "#"
    compose = f"{_OF_COMPOSE}{mark}POSTGRES_PASSWORD={database_password}\n"
    return "\n\n".join([_comment(head), *_variables(), _OF_OTHERS + "\n" + compose])


def _variables() -> Iterator[str]:
    for variable in VARIABLES:
        # Only the token is required, so only it has a line that is not a comment.
        mark = "" if variable.name == "FB_ACCESS_TOKEN" else "#"
        value = variable.default or variable.example
        yield f"{_comment(variable.meaning)}\n{mark}{variable.name}={value}"


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(text, _WIDTH, break_on_hyphens=False))
