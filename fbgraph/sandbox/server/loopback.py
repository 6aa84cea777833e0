"""The sandbox on a socket: in a thread for tests, or blocking for the command line."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import uvicorn

from fbgraph.sandbox.endpoints.writing import change
from fbgraph.sandbox.limits.quota import QUOTAS, Quota
from fbgraph.sandbox.server.app import ENDS_EARLY, make_app
from fbgraph.sandbox.state.platform import Platform, Settings
from fbgraph.sandbox.state.tokens import Tokens
from fbgraph.sandbox.world.advertisers.agency import AGENCY
from fbgraph.sandbox.world.advertisers.company import COMPANY
from fbgraph.sandbox.world.advertisers.hostile import HOSTILE
from fbgraph.sandbox.world.tree import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from fbgraph.sandbox.world.advertisers.plan import WorldPlan

__all__ = ["WORLDS", "Sandbox", "serve"]

#: Loopback only: the sandbox has no business on a network.
HOST: Final = "127.0.0.1"

#: The worlds that there are, by name.
WORLDS: Final[Mapping[str, WorldPlan]] = {
    "company": COMPANY,
    "hostile": HOSTILE,
    "agency": AGENCY,
}

#: Seconds that open connections get to finish when the server stops.
GRACE_SECONDS: Final = 2


#: Named, so that a second sandbox does not add it a second time.
def _is_no_surprise(record: logging.LogRecord) -> bool:
    return record.getMessage() != ENDS_EARLY


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _quota(given: str | Quota | None) -> Quota | None:
    if isinstance(given, str) and given not in QUOTAS:
        raise ValueError(f"Unknown quota {given!r}: expected one of {', '.join(sorted(QUOTAS))}.")
    return QUOTAS[given] if isinstance(given, str) else given


def _plan(world: str) -> WorldPlan:
    if world not in WORLDS:
        raise ValueError(f"Unknown world {world!r}: expected one of {', '.join(sorted(WORLDS))}.")
    return WORLDS[world]


class _Server(uvicorn.Server):
    """Says when it is ready, and stops at once rather than at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self.ready.set()

    async def main_loop(self) -> None:
        ticks = asyncio.create_task(super().main_loop())
        await self._stopped.wait()
        ticks.cancel()

    def stop(self) -> None:
        """From any thread, once it is ready."""
        self._loop.call_soon_threadsafe(self._stopped.set)


class Sandbox:
    """A local Graph API. Use it in a ``with`` block; inside, send requests to `url` with `token`.

    `port` 0 takes a free port. `now` returns an aware datetime and can be a test's own clock.
    `world` is one of `WORLDS`; `accounts` sets the number of accounts: the first `delivering` of
    them deliver, the others are idle; `scale` multiplies their ads. A report run takes
    `run_polls` polls, or `run_seconds` of `now`'s time. With `app_secret` every request must carry
    its proof. `auto_upgrade` serves expired versions with a warning header. `compress` allows gzip.
    `quota` is ``limited``, ``full`` or a `Quota` of your own, and follows `now`; without it nothing
    is counted. `latency` multiplies the seconds that `limits.timing` gives for requests and runs.
    `sleep` waits on the server's loop where a response is slow; a test can pass one that does not.

    `token` sees every account and can read and write ads; `make_token` creates others that see less
    or can do less, and `revoke` ends one. What requests write is there for everybody who reads
    afterwards, and `change` writes by hand; neither changes the numbers of any day. All methods can
    be called from any thread.
    """

    def __init__(  # noqa: PLR0913  each is a knob of its own, by keyword
        self,
        port: int = 0,
        seed: int = 1,
        scenarios: Sequence[str] = (),
        now: Callable[[], datetime] | None = None,
        *,
        world: str = "company",
        accounts: int | None = None,
        scale: int = 1,
        delivering: int | None = None,
        app_secret: str | None = None,
        run_polls: int = 2,
        run_seconds: float | None = None,
        auto_upgrade: bool = False,
        compress: bool = True,
        quota: str | Quota | None = None,
        latency: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tokens = Tokens(seed, app_secret)
        self._platform = Platform(
            World(seed, _plan(world), accounts=accounts, scale=scale, delivering=delivering),
            self._tokens,
            Settings(
                *(now or _wall_clock, run_polls, run_seconds, auto_upgrade, compress),
                *(_quota(quota), latency, sleep),
            ),
            scenarios,
        )
        self._port = port

    @property
    def token(self) -> str:
        return self._tokens.valid

    @property
    def expired_token(self) -> str:
        return self._tokens.expired

    @property
    def app_token(self) -> str:
        """The app's own token: it can ask ``debug_token`` about any other, and nothing else."""
        return self._tokens.app

    def make_token(
        self,
        scopes: Sequence[str] = ("ads_read",),
        accounts: Sequence[str] | None = None,
        expires_at: datetime | float = 0,
        kind: str = "USER",
    ) -> str:
        """Create a token with a user of its own.

        `accounts` are those that it sees (ids with or without ``act_``), None for all.
        `expires_at` is an aware datetime or epoch seconds, 0 for never. `kind` is USER,
        SYSTEM_USER or PAGE. Raises ValueError for an unknown account or kind.
        """
        at = expires_at.timestamp() if isinstance(expires_at, datetime) else expires_at
        return self._platform.make_token(scopes, accounts, at, kind)

    def revoke(self, token: str) -> None:
        """Refuse a token with 190/460 from now on. Raises KeyError for an unknown one."""
        self._platform.revoke(token)

    def change(self, node_id: str, **fields: object) -> None:
        """Change an object as its owner could, by hand: ``change(id, status="ARCHIVED")``.

        In addition to what a request can write: `review` of a campaign, ad set or ad (such as
        DISAPPROVED; NONE ends it); `account_status`, `disable_reason`, `amount_spent`, `balance`
        and `spend_cap` of an account. Raises KeyError for an unknown object, ValueError for what
        Meta would refuse.
        """
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        change(self._platform, node_id, texts)

    @property
    def url(self) -> str:
        """Where to send requests; the port is known once the server runs."""
        return f"http://{HOST}:{self._port}"

    @property
    def account_ids(self) -> Sequence[str]:
        """Ids of the accounts in the order of their listing, without ``act_``."""
        return [account.id for account in self._platform.world.accounts]

    @property
    def scenarios(self) -> tuple[str, ...]:
        return self._platform.active.names

    def use(self, *names: str) -> None:
        """Turn on exactly these scenarios. Raises ValueError for an unknown one."""
        self._platform.use(names)

    def truth(
        self,
        account_id: str,
        day: date | str,
        breakdowns: Sequence[str] | None = None,
        *,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """What ``/_sandbox/truth`` shows of an account-day: by the hour, or by `breakdowns`; as of
        now, or of another moment, an aware one.
        """
        requested = None if breakdowns is None else tuple(breakdowns)
        with self._platform.lock:
            return self._platform.truth(account_id, date.fromisoformat(str(day)), requested, at)

    def spent_by_hour(
        self, account_id: str, day: date, at: datetime | None = None
    ) -> dict[int, int]:
        """What an account-day had spent in each hour, in minor units: what insights knew of it now
        or at another moment. Much quicker than `truth`; of scenarios only those of spending count.
        """
        with self._platform.lock:
            return self._platform.spent_by_hour(account_id, day, at)

    def world(self) -> dict[str, Any]:
        """What ``/_sandbox/world`` shows."""
        with self._platform.lock:
            return self._platform.describe_world()

    def calls(self) -> dict[str, Any]:
        """What ``/_sandbox/calls`` shows."""
        return self._platform.served()

    def reset_calls(self) -> None:
        """Start the count of ``/_sandbox/calls`` again; what was used of quotas stays used."""
        self._platform.forget()

    def __enter__(self) -> Self:
        listener = socket.create_server((HOST, self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            make_app(self._platform),
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,  # the sandbox has a clock of its own
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_no_surprise)
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        while not self._server.ready.wait(timeout=0.1):
            if not self._thread.is_alive():
                raise RuntimeError("The sandbox's server stopped before it was ready.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()
        self._thread.join()


def serve(
    port: int,
    seed: int = 1,
    scenarios: Sequence[str] = (),
    on_ready: Callable[[str, str], None] | None = None,
    **options: Any,
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` receives url and token. For the main thread only.

    `options` are those of `Sandbox`. Raises ValueError for an unknown scenario, quota or world and
    OSError
    for a port that is in use.
    """
    with _until_signalled() as stop, Sandbox(port, seed, scenarios, **options) as sandbox:
        if on_ready:
            on_ready(sandbox.url, sandbox.token)
        stop.wait()


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; afterwards signals act as before."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
