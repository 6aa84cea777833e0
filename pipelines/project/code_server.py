"""The code server of a deployment: `python -m pipelines.project.code_server [HOST] [PORT]`.

Ends the runs of the one before it, then becomes Dagster's own.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from pipelines.project import orphans

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

HOST: Final = "0.0.0.0"  # noqa: S104  # other containers connect to it
PORT: Final = "4000"


def main(arguments: Sequence[str]) -> None:
    """Does not return. Raises KeyError without DAGSTER_HOME."""
    orphans.main()
    host, port = [*arguments, *(HOST, PORT)[len(arguments) :]]
    server = ["dagster", "code-server", "start", "--host", host, "--port", port]
    server += ["--module-name", "pipelines.definitions"]
    # Nothing of the user's own is imported from there.
    server += ["--working-directory", os.environ["DAGSTER_HOME"]]
    os.execvp(server[0], server)  # noqa: S606  # no shell is needed


if __name__ == "__main__":
    main(sys.argv[1:])
