"""Whether a part of a deployment does its work: `python -m pipelines.project.healthcheck PART`.

Parts are `code` (the code server serves), `webserver` (it serves the pages, reaches its database,
and our definitions are loaded), `daemon` (every daemon that has to run has reported lately), and
`all` (pages and daemon, where one process has both). Exit code 0 or 1; one line says why.

Asked every half minute, so it must be cheap: Dagster's own `liveness-check` imports all of Dagster,
two seconds of CPU each time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["main", "why_unhealthy", "wrong_daemons", "wrong_locations"]

PAGES: Final = "http://127.0.0.1:3000"
CODE_SERVER: Final = "127.0.0.1:4000"
CHECK_SECONDS: Final = 8.0

#: A daemon reports every half minute; Dagster itself calls it dead after half an hour.
SILENT_SECONDS: Final = 300.0

QUERY: Final = """{
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
  workspaceOrError { ... on Workspace { locationEntries { name loadStatus
    locationOrLoadError { __typename ... on PythonError { message } } } } }
}"""


def wrong_locations(data: Mapping[str, Any]) -> Sequence[str]:
    """Why definitions are not loaded, of a response to QUERY."""
    entries = data["workspaceOrError"].get("locationEntries", [])
    wrong = [
        f"{entry['name']} is not loaded: {(entry['locationOrLoadError'] or entry)}"
        for entry in entries
        if (entry["locationOrLoadError"] or {}).get("__typename") != "RepositoryLocation"
    ]
    return wrong if entries else ["no definitions"]


def wrong_daemons(data: Mapping[str, Any], now: float) -> Sequence[str]:
    """Which daemons have not reported lately, of a response to QUERY; `now` in seconds."""
    daemons = data["instance"]["daemonHealth"]["allDaemonStatuses"]
    required = [one for one in daemons if one["required"]]
    silent = [
        one["daemonType"]
        for one in required
        if now - (one["lastHeartbeatTime"] or 0.0) > SILENT_SECONDS
    ]
    wrong = [f"daemon {name} has not reported for {SILENT_SECONDS:.0f} s" for name in silent]
    return wrong if required else ["no daemon"]


def why_unhealthy(part: str, pages: str, code_server: str, now: float) -> Sequence[str]:
    """What is wrong, empty if nothing is. Raises OSError if nobody listens at `pages`."""
    if part == "code":
        return _why_code(code_server)
    data = _ask(pages)
    locations = wrong_locations(data) if part != "daemon" else []
    return [*locations, *(wrong_daemons(data, now) if part != "webserver" else [])]


def _ask(url: str) -> Mapping[str, Any]:
    """Dagster's response to QUERY: it has asked its database and its code server for it."""
    body = json.dumps({"query": QUERY}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/graphql", body, headers)  # noqa: S310  # http, ours
    with urllib.request.urlopen(request, timeout=CHECK_SECONDS) as response:  # noqa: S310
        data: Mapping[str, Any] = json.load(response)["data"]
    return data


def _why_code(address: str) -> Sequence[str]:
    import grpc  # noqa: PLC0415  # the other parts do without
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    with grpc.insecure_channel(address) as channel:
        asked = health_pb2.HealthCheckRequest(service="DagsterApi")
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=CHECK_SECONDS)
        except grpc.RpcError as error:
            return [f"{address}: {error.details()}"]
    serving = health_pb2.HealthCheckResponse.SERVING
    return [] if reply.status == serving else [f"{address} is not serving"]


def main(arguments: Sequence[str]) -> int:
    """Check one part; 0 if it does its work, else 1."""
    parser = argparse.ArgumentParser(prog="healthcheck", description=__doc__)
    parser.add_argument("part", choices=("all", "code", "daemon", "webserver"))
    parser.add_argument("--url", default=PAGES, help="where Dagster's pages are")
    parser.add_argument("--code-server", default=CODE_SERVER, help="where the code server is")
    parser.add_argument("--wait", action="store_true", help="until it is healthy")
    asked = parser.parse_args(arguments)
    while (wrong := _wrong(asked.part, asked.url, asked.code_server)) and asked.wait:
        time.sleep(1)
    print("; ".join(wrong) or "healthy")  # noqa: T201  # what `docker inspect` shows
    return 1 if wrong else 0


def _wrong(part: str, pages: str, code_server: str) -> Sequence[str]:
    try:
        return why_unhealthy(part, pages, code_server, time.time())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{pages}: {error}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
