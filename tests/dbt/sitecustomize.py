"""Python without a network: on the PYTHONPATH of a program that must do without.

What is tried is written down in the file TRIED_HOSTS, a line for each host.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

_HERE: Final = {"127.0.0.1", "::1", "localhost"}


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in _HERE:
        with Path(os.environ["TRIED_HOSTS"]).open("a", encoding="utf-8") as tried:
            tried.write(f"{host}\n")
        raise OSError(errno.ENETUNREACH, "no network here")


sys.addaudithook(_refuse_the_network)
