"""The token reaches the server it is for, and no other machine, whatever that server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from fbgraph import GraphClient
from fbgraph.errors import GraphError, RequestError
from fbgraph.http.transport import is_here

if TYPE_CHECKING:
    from tests.fbgraph.conftest import Heard, Listen

TOKEN = "EAAinvented"  # noqa: S105  invented


def client_at(base_url: str, *, proxy: str | None = None, allow_http: bool = False) -> GraphClient:
    return GraphClient(
        TOKEN, base_url=base_url, proxy=proxy, allow_http=allow_http, sleep=lambda _: None
    )


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://graph.invalid", None),
        ("http://10.0.0.5:8810", None),
        ("http://[2001:db8::1]:8810", None),
        ("http://0x7f.1", None),
        ("http://127.0.0.1", "http://user:secret@proxy.invalid:3128"),
    ],
)
def test_an_address_in_clear_is_refused_before_anything_is_sent(url: str, proxy: str) -> None:
    with pytest.raises(RequestError, match=r"in clear.*FB_ALLOW_HTTP=1") as refused:
        client_at(url, proxy=proxy)

    assert TOKEN not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_nor_does_it_go_through_a_proxy_of_this_machine(listen: Listen) -> None:
    proxy = listen()

    with pytest.raises(RequestError, match=r"would go to http://graph.invalid in clear"):
        client_at("http://graph.invalid", proxy=proxy.url)

    assert proxy.heard == []


def test_whoever_trusts_the_network_may_allow_it(listen: Listen) -> None:
    proxy = listen()

    with client_at("http://graph.invalid", proxy=proxy.url, allow_http=True) as client:
        client.get("me")

    assert proxy.heard[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY", "http_proxy"])
def test_this_machine_is_asked_without_a_proxy_of_the_environment(
    name: str, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = listen(), listen()
    monkeypatch.setenv(name, proxy.url)

    with client_at(server.url) as client:
        client.get("me")

    assert (len(server.heard), proxy.heard) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, listen: Listen) -> None:
    other = listen()
    to_other = httpx.Response(status, headers={"Location": f"{other.url}/v26.0/me"})
    server = listen(lambda _: to_other)

    with client_at(server.url) as client, pytest.raises(GraphError):
        client.get("me")

    assert other.heard == []


def test_the_next_page_is_asked_of_the_same_server(listen: Listen) -> None:
    other = listen()

    def page(heard: Heard) -> httpx.Response:
        if "after=" in heard.target:
            return httpx.Response(200, json={"data": [{"id": "2"}]})
        paging = {"cursors": {"after": "x"}, "next": f"{other.url}/v26.0/act_1/ads?after=x"}
        return httpx.Response(200, json={"data": [{"id": "1"}], "paging": paging})

    server = listen(page)
    with client_at(server.url) as client:
        rows = list(client.account("1").edge("ads"))

    assert [row["id"] for row in rows] == ["1", "2"]
    assert (len(server.heard), other.heard) == (2, [])


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *((name, True) for name in ("localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1")),
        *((name, True) for name in ("::ffff:127.0.0.1", "::1%lo", "::")),
        *((name, False) for name in ("", "10.0.0.1", "localhost.example", "::2")),
        *((name, False) for name in ("graph.facebook.com", "127.1", "2130706433")),
    ],
)
def test_what_is_this_machine(host: str, here: bool) -> None:  # noqa: FBT001  a table
    assert is_here(host) is here
