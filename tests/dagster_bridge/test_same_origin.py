"""The UI answers its own pages and requests under this machine's names, and refuses all others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dagster_webserver import app as webserver_app
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from ops_project.dagster_bridge import dev, web
from ops_project.dagster_bridge.same_origin import SameOrigin, refusal

NAMES = frozenset({"localhost", "etl.example"})


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:3000", None),
        ("LOCALHOST:3000", "http://localhost:3000"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("10.1.2.3:80", None),
        ("etl.example", "https://etl.example"),
    ],
)
def test_its_own_pages_are_answered(host: str, origin: str | None) -> None:
    assert refusal(host, origin, NAMES) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:3000", "http://evil.example"),
        ("localhost:3000", "http://localhost:3001"),
        ("localhost:3000", "null"),
        ("localhost:3000", ""),
        ("evil.example:3000", "http://evil.example:3000"),
        ("localhost.evil.example:3000", None),
        ("", None),
        ("[::1", None),
        ("127.0.0.1.evil.example", None),
    ],
)
def test_foreign_pages_and_foreign_names_are_refused(host: str, origin: str | None) -> None:
    assert refusal(host, origin, NAMES)


@pytest.fixture(scope="module")
def client() -> TestClient:
    async def launch(_: object) -> PlainTextResponse:
        return PlainTextResponse("launched")

    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        await connection.close()

    routes = [Route("/graphql", launch, methods=["GET", "POST"]), WebSocketRoute("/graphql", socket)]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(SameOrigin, names=NAMES)]), "http://localhost:3000"
    )


def test_a_mutation_of_a_foreign_page_never_arrives(client: TestClient) -> None:
    assert client.post("/graphql").text == "launched"
    refused = client.post("/graphql", headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403
    assert "evil.example" in refused.text
    assert client.get("/graphql", headers={"Host": "evil.example"}).status_code == 403
    with client.websocket_connect("ws://localhost:3000/graphql"):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost:3000/graphql", headers={"Origin": "http://evil.example"}),
    ):
        pass


def test_dagster_starts_our_server_and_our_server_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if Dagster changes the internal objects that this code replaces."""
    started: list[list[str]] = []
    monkeypatch.setattr(dev.dev, "open_ipc_subprocess", lambda parts, **_: started.append(parts))
    monkeypatch.setattr(dev, "cli", lambda **_: dev.dev.open_ipc_subprocess(["python", "-m", "dagster_webserver"]))
    dev.run()
    assert started == [["python", "-m", "ops_project.dagster_bridge.web"]]

    monkeypatch.setattr(webserver_app, "DagsterWebserver", webserver_app.DagsterWebserver)
    monkeypatch.setattr(web, "main", lambda: None)
    web.serve()
    guarded = webserver_app.DagsterWebserver
    first = guarded.build_middleware(SimpleNamespace())  # type: ignore[arg-type]  # it reads nothing of the server
    assert first[0].cls is SameOrigin
