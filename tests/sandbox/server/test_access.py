from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.sandbox.conftest import Graph

SECRET = "s3cret"  # noqa: S105  of an app that does not exist


def answer_to(graph: Graph, token: str | None, path: str = "v26.0/me") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return graph.bare.get(path, headers=headers)


def test_the_token_may_come_as_header_or_as_parameter(graph: Graph) -> None:
    by_parameter = graph.bare.get("v26.0/me", params={"access_token": graph.sandbox.token})

    assert by_parameter.json() == answer_to(graph, graph.sandbox.token).json()
    assert by_parameter.json()["id"].isdecimal()


@pytest.mark.parametrize(
    ("path", "code"),
    [("v26.0/me", 2500), ("v26.0/me/adaccounts", 2500), ("v26.0/act_1/campaigns", 104)],
)
def test_a_missing_token_is_told_by_path(graph: Graph, path: str, code: int) -> None:
    response = answer_to(graph, None, path)

    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("token", "subcode", "message"),
    [
        ("EAAbroken", None, "Malformed access token EAAbroken"),
        ("nonsense", None, "Invalid OAuth access token - Cannot parse access token"),
        ("expired", 463, "Error validating access token: Session has expired on "),
    ],
)
def test_a_wrong_token_is_refused_with_190(
    graph: Graph, token: str, subcode: int | None, message: str
) -> None:
    token = graph.sandbox.expired_token if token == "expired" else token  # noqa: S105  no secret

    response = answer_to(graph, token)

    error = response.json()["error"]
    assert (response.status_code, error["code"], error.get("error_subcode")) == (400, 190, subcode)
    assert error["message"].startswith(message)
    assert '"invalid_token"' in response.headers["www-authenticate"]


def proof(token: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def test_an_app_secret_demands_a_matching_proof(open_graph: Callable[..., Graph]) -> None:
    graph = open_graph(app_secret=SECRET)
    token = graph.sandbox.token

    missing = graph.error("me")
    wrong = graph.error("me", appsecret_proof=proof(token, "other"))
    right = graph.get("me", appsecret_proof=proof(token))

    assert missing["message"].endswith("require an appsecret_proof argument")
    assert wrong["message"].startswith("Invalid appsecret_proof")
    assert {missing["type"], wrong["type"]} == {"GraphMethodException"}
    assert right.status_code == 200


@pytest.mark.parametrize(("age", "status"), [(0, 200), (299, 200), (301, 400)])
def test_a_proof_with_a_time_lasts_five_minutes(
    open_graph: Callable[..., Graph], age: int, status: int
) -> None:
    graph = open_graph(app_secret=SECRET)
    time = str(int(graph.clock.now.timestamp()) - age)

    response = graph.get(
        "me", appsecret_proof=proof(f"{graph.sandbox.token}|{time}"), appsecret_time=time
    )

    assert response.status_code == status


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("v26.0/me/adaccounts", None),
        ("v25.0/me/adaccounts", None),
        ("v24.0/me", None),  # Graph proper keeps versions longer than ads do
        ("v24.0/me/adaccounts", 2635),
        ("v3.0/me", 2635),
        ("me/adaccounts", 2635),
        ("v27.0/me/adaccounts", None),
        ("v28.0/me", 2500),
        ("v26.5/me", 2635),
    ],
)
def test_ads_answer_only_in_living_versions(graph: Graph, path: str, code: int | None) -> None:
    response = answer_to(graph, graph.sandbox.token, path)

    assert response.json().get("error", {}).get("code") == code


@pytest.mark.parametrize(
    ("on", "versions", "latest"),
    [
        (datetime(2026, 11, 3, 20, tzinfo=UTC), ["v24.0", "v25.0", "v26.0"], "v26.0"),
        (datetime(2026, 11, 9, 20, tzinfo=UTC), ["v24.0", "v25.0", "v26.0", "v27.0"], "v27.0"),
        (datetime(2026, 11, 10, 20, tzinfo=UTC), ["v25.0", "v26.0", "v27.0"], "v27.0"),
        (datetime(2027, 2, 23, 20, tzinfo=UTC), ["v26.0", "v27.0"], "v27.0"),
    ],
)
def test_versions_come_and_go_by_the_sandboxs_clock(
    open_graph: Callable[..., Graph], on: datetime, versions: list[str], latest: str
) -> None:
    graph = open_graph()
    graph.clock.now = on
    asked = [f"v{number}.0" for number in range(20, 29)]

    answers = {
        name: answer_to(graph, graph.sandbox.token, f"{name}/me/adaccounts") for name in asked
    }

    served = {name: answer.headers["facebook-api-version"] for name, answer in answers.items()}
    assert [name for name in asked if answers[name].is_success] == versions
    assert {name: served[name] for name in versions} == {name: name for name in versions}
    ended = answers["v23.0"].json()["error"]["message"]
    assert ended.endswith(f"Please update to the latest version: {latest}.")
    assert answers["v28.0"].json()["error"]["code"] == 2500


def test_graph_keeps_versions_longer_than_ads_do_and_then_ends_them(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph()
    codes = []
    for on in (datetime(2027, 1, 20, tzinfo=UTC), datetime(2027, 1, 21, tzinfo=UTC)):
        graph.clock.now = on
        answer = answer_to(graph, graph.sandbox.token, "v21.0/me")
        codes.append(answer.json().get("error", {}).get("code"))

    assert codes == [None, 2635]


def test_an_expired_version_that_is_refused_was_not_upgraded(graph: Graph) -> None:
    response = answer_to(graph, graph.sandbox.token, "v24.0/me/adaccounts")

    assert "x-ad-api-version-warning" not in response.headers


def test_the_version_that_served_is_in_the_header(graph: Graph) -> None:
    served = answer_to(graph, graph.sandbox.token, "v25.0/me").headers["facebook-api-version"]

    assert served == "v25.0"


def test_an_expired_version_may_be_upgraded_with_a_warning(
    open_graph: Callable[..., Graph],
) -> None:
    graph = open_graph(auto_upgrade=True)

    response = answer_to(graph, graph.sandbox.token, "v23.0/me/adaccounts?limit=1")

    assert response.headers["facebook-api-version"] == "v25.0"
    assert "auto-upgraded to v25.0" in response.headers["x-ad-api-version-warning"]
    assert "/v25.0/" in response.json()["paging"]["next"]


def test_debug_token_tells_validity_expiry_and_scopes(graph: Graph) -> None:
    def of(token: str) -> dict[str, object]:
        data: dict[str, object] = graph.get("debug_token", input_token=token).json()["data"]
        return data

    good, bad = of(graph.sandbox.token), of(graph.sandbox.expired_token)

    assert good["is_valid"] is True
    assert good["expires_at"] == 0
    assert good["scopes"] == ["ads_read", "ads_management"]
    assert bad["is_valid"] is False
