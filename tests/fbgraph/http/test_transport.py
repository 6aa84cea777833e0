from __future__ import annotations

import base64
import logging
import socket
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.errors import GraphError, RequestError, RetryableError, StoppedError, TokenError
from fbgraph.http.transport import address_of, proxy_for, secrets_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fbgraph.conftest import Heard, Listen, MakeWire

CERTIFICATES = Path(__file__).parents[1] / "certificates"
PASSWORD = "p@ss/word-of-the-proxy"  # noqa: S105  # invented
WRITTEN = "p%40ss%2Fword-of-the-proxy"
AS_SENT = base64.b64encode(f"user:{PASSWORD}".encode()).decode()

#: What the environment may say of proxies.
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


@pytest.fixture(autouse=True)
def no_proxy_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "loopback.pem", CERTIFICATES / "loopback.key")
    return context


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes a call and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def by_proxy(heard: Heard) -> httpx.Response:
    return httpx.Response(200, json={"asked": heard.target})


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def client_at(base_url: str, proxy: str | None = None, **waits: list[float]) -> GraphClient:
    rest = waits.get("waits", [])
    more = {"proxy": proxy, "sleep": rest.append, "allow_http": True}
    return GraphClient("EAAinvented", base_url=base_url, **more)  # type: ignore[arg-type]


def test_a_proxy_is_asked_for_the_whole_address(listen: Listen) -> None:
    proxy = listen(by_proxy)

    with client_at("http://graph.invalid", proxy.url) as client:
        answer: object = client.get("me", {"fields": ["id"]})

    (heard,) = proxy.heard
    assert (answer, heard.headers["host"]) == (
        {"asked": "http://graph.invalid/v26.0/me?fields=id"},
        "graph.invalid",
    )


def test_user_and_password_of_a_proxy_go_in_its_own_header(listen: Listen) -> None:
    proxy = listen(by_proxy)
    address = proxy.url.replace("//", f"//user:{WRITTEN}@")

    with client_at("http://graph.invalid", address) as client:
        client.get("me")

    (heard,) = proxy.heard
    said = base64.b64decode(heard.headers["proxy-authorization"].removeprefix("Basic "))
    assert said.decode() == f"user:{PASSWORD}"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_is_used(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, name: str, scheme: str
) -> None:
    proxy = listen(by_proxy)
    monkeypatch.setenv(name, scheme + proxy.url.removeprefix("http://"))

    with client_at("http://graph.invalid") as client:
        answer: object = client.get("me")

    assert answer == {"asked": "http://graph.invalid/v26.0/me"}


def test_a_proxy_given_by_hand_counts_before_the_environment(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand, by_environment = listen(), listen()
    monkeypatch.setenv("HTTP_PROXY", by_environment.url)

    with client_at("http://graph.invalid", by_hand.url) as client:
        client.get("me")

    assert (len(by_hand.heard), len(by_environment.heard)) == (1, 0)


@pytest.mark.parametrize("hosts", ["127.0.0.1", "*", "localhost,127.0.0.1"])
def test_a_server_that_needs_no_proxy_is_asked_itself(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, hosts: str
) -> None:
    server, proxy = listen(), listen()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", hosts)

    with client_at(server.url) as client:
        client.get("me")

    assert ([heard.target for heard in server.heard], proxy.heard) == (["/v26.0/me"], [])


@pytest.mark.parametrize(
    ("environment", "base_url", "proxy"),
    [
        ({}, "https://graph.facebook.com", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://graph.facebook.com", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://graph.facebook.com", "http://p:1"),
        ({"HTTPS_PROXY": "u:w@p:1"}, "https://graph.facebook.com", "http://u:w@p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://graph.facebook.com", None),
        ({"HTTPS_PROXY": "http://p:1"}, "http://127.0.0.1:8810", None),
        ({"ALL_PROXY": "http://p:1"}, "https://graph.facebook.com", "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q:2"}, "https://x", "http://q:2"),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".facebook.com"},
            *("https://graph.facebook.com", None),
        ),
        ({"HTTPS_PROXY": ""}, "https://graph.facebook.com", None),
    ],
)
def test_the_environment_names_a_proxy_as_for_other_programs(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], base_url: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(base_url) == proxy


def test_a_call_to_https_goes_through_a_tunnel(listen: Listen) -> None:
    proxy = listen(lambda _: httpx.Response(407))
    address = proxy.url.replace("//", f"//user:{WRITTEN}@")
    waits: list[float] = []

    with (
        client_at("https://graph.invalid", address, waits=waits) as client,
        pytest.raises(RetryableError) as caught,
    ):
        client.get("me")

    text = str(caught.value)
    assert {(heard.method, heard.target) for heard in proxy.heard} == {
        ("CONNECT", "graph.invalid:443")
    }
    assert f"No response from https://graph.invalid through the proxy {proxy.url}: " in text
    assert ("407" in text, PASSWORD in text, WRITTEN in text, len(waits)) == (True, False, False, 5)


def test_a_write_that_a_proxy_does_not_let_through_is_not_uncertain(listen: Listen) -> None:
    proxy = listen(lambda _: httpx.Response(403))

    with client_at("https://graph.invalid", proxy.url) as client, pytest.raises(GraphError) as told:
        client.node("7").update(name="x")

    assert type(told.value) is RetryableError


def test_a_proxy_out_of_reach_is_named_without_its_password() -> None:
    proxy = f"http://user:{WRITTEN}@127.0.0.1:{closed_port()}"

    with client_at("http://graph.invalid", proxy) as client, pytest.raises(GraphError) as caught:
        client.get("me")

    text = str(caught.value)
    assert f"through the proxy {address_of(proxy)}: ConnectError" in text
    assert [secret for secret in (PASSWORD, WRITTEN, "user") if secret in text] == []


@pytest.mark.parametrize(
    "proxy",
    [
        f"ftp://user:{PASSWORD}@proxy:3128",
        f"http://user:{PASSWORD}@proxy:3128",
        "proxy:3128",
        "http://[",
        "http://proxy:port",
    ],
)
def test_what_is_no_address_of_a_proxy_says_so_without_its_password(proxy: str) -> None:
    with pytest.raises(RequestError, match="write it like http://host:port") as caught:
        client_at("http://graph.invalid", proxy)

    assert "word-of" not in repr(caught.value)


@pytest.mark.parametrize(
    ("proxy", "secrets"),
    [
        (None, []),
        ("http://p:1", []),
        ("http://user@p:1", []),
        (f"http://user:{WRITTEN}@p:1", [PASSWORD, AS_SENT]),
    ],
)
def test_the_password_of_a_proxy_is_what_must_not_be_shown(
    proxy: str | None, secrets: list[str]
) -> None:
    assert secrets_in(proxy) == secrets


def test_a_password_that_is_a_word_of_graph_stops_no_call(wire: MakeWire) -> None:
    graph = wire(httpx.Response(200, json={"data": []}), proxy="http://user:campaigns@p:1")

    assert list(graph.client.account("1").edge("campaigns", fields=["name"])) == []


def test_an_address_of_graph_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(RequestError, match="Remove them") as caught:
        client_at(f"http://user:{WRITTEN}@graph.invalid")

    assert "word-of" not in repr(caught.value)


def test_a_socks_proxy_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it were not installed

    with pytest.raises(RequestError, match="pip install socksio"):
        client_at("http://graph.invalid", "socks5://p:1")


def test_the_password_of_a_proxy_is_hidden_wherever_a_server_repeats_it(wire: MakeWire) -> None:
    echo = httpx.Response(502, html=f"<html>{PASSWORD} {WRITTEN} {AS_SENT}")
    graph = wire(echo, proxy=f"http://user:{WRITTEN}@p:1")

    with pytest.raises(GraphError, match="<html><hidden> <hidden> <hidden>"):
        graph.client.get("me")


@pytest.mark.parametrize("quote", ["", "'", '"', "\\"])
def test_a_token_that_meta_repeats_in_a_header_is_in_no_log(
    listen: Listen, caplog: pytest.LogCaptureFixture, quote: str
) -> None:
    caplog.set_level(logging.DEBUG)
    says = {"WWW-Authenticate": f'OAuth "invalid_token" "{quote}Malformed EAAinvented"', "x-a": "b"}
    graph = listen(lambda _: httpx.Response(400, json={"error": {"code": 190}}, headers=says))

    with client_at(graph.url) as client, pytest.raises(TokenError):
        client.get("me")

    headers = [r.getMessage() for r in caplog.records if "x-a" in r.getMessage()]
    assert [("<hidden>" in line, "EAAinvented" in caplog.text) for line in headers] == [
        (True, False)
    ]


def test_certificates_of_ones_own_are_trusted_when_named(
    listen: Listen, tls: ssl.SSLContext
) -> None:
    server = listen(tls=tls)

    with GraphClient(
        "EAAinvented", base_url=server.url, ca_file=CERTIFICATES / "loopback.pem"
    ) as client:
        answer: object = client.get("me")

    assert (answer, [heard.target for heard in server.heard]) == ({"id": "1"}, ["/v26.0/me"])


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    listen: Listen, tls: ssl.SSLContext
) -> None:
    server = listen(tls=tls)

    with (
        client_at(server.url) as client,
        pytest.raises(GraphError, match=r"self.signed"),
    ):
        client.get("me")

    assert server.heard == []


def test_certificates_that_the_environment_names_later_are_trusted_from_then_on(
    listen: Listen, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = listen(tls=tls)
    with client_at(server.url) as before, pytest.raises(GraphError, match=r"self.signed"):
        before.get("me")

    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "loopback.pem"))
    with client_at(server.url) as client:
        answer: object = client.get("me")

    assert answer == {"id": "1"}


def test_clients_of_one_process_share_the_usual_certificates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with client_at("https://127.0.0.1"):
        monkeypatch.setattr(ssl, "create_default_context", None)  # nothing is read again

        with client_at("https://127.0.0.1"):
            pass


def test_certificates_that_are_none_are_an_error_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")

    with pytest.raises(ssl.SSLError):
        GraphClient("EAAinvented", ca_file=empty)
    with pytest.raises(FileNotFoundError):
        GraphClient("EAAinvented", ca_file=tmp_path / "nowhere.pem")


def test_a_server_that_never_answers_is_not_waited_for_longer_than_allowed(silent: str) -> None:
    waits: list[float] = []

    with (
        GraphClient(
            "EAAinvented", base_url=silent, timeout_seconds=0.01, sleep=waits.append
        ) as client,
        pytest.raises(RetryableError, match="ReadTimeout"),
    ):
        client.get("me")

    assert len(waits) == 5


@pytest.mark.parametrize("is_secret", [False, True])
def test_a_client_that_is_stopped_waits_for_no_answer_in_any_thread(
    listen: Listen, tls: ssl.SSLContext, *, is_secret: bool
) -> None:
    asked, over = threading.Event(), threading.Event()

    def never(_: Heard) -> httpx.Response:
        asked.set()
        over.wait(30)
        return httpx.Response(200, json={})

    server = listen(never, tls=tls if is_secret else None)
    ca_file = CERTIFICATES / "loopback.pem"
    with (
        GraphClient("EAAinvented", base_url=server.url, ca_file=ca_file) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(lambda: client.counted().get("me"))
        assert asked.wait(10)
        client.stop()

        with pytest.raises(StoppedError):
            waiting.result(timeout=10)
        with pytest.raises(StoppedError):
            client.get("me")
    over.set()

    assert len(server.heard) == 1


def test_connections_are_kept_for_the_next_call(listen: Listen) -> None:
    server = listen()

    with client_at(server.url) as client:
        for _ in range(3):
            client.get("me")

    assert (len(server.heard), server.connections) == (3, 1)
