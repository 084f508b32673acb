"""The web application. `create_app` joins the routes of all its parts, and takes further routes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops_project.console import act, runbooks, static_files
from ops_project.console.live import Pulse
from ops_project.console.pages import ALL
from ops_project.console.site import RunCommand, Site, no_command
from ops_project.console.views import Ask, page
from ops_project.failures import Unusable
from ops_project.settings import Settings

HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"cross-origin-opener-policy": b"same-origin",
}


class _Guarded:
    """Puts the same headers on every answer: nothing is cached, shown in a frame or sent to another site, and only our
    own scripts run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *((n, v) for n, v in HEADERS.items() if n not in known)]
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    routes: Sequence[BaseRoute] = (),
    run_command: RunCommand = no_command,
) -> Starlette:
    """The application of one home.

    `routes`: further pages. They take precedence over the console's own pages. `clock`: returns the present time in
    UTC; by default the real time. `run_command`: runs a step of a runbook.
    """
    names = frozenset({"localhost", socket.gethostname().lower(), socket.getfqdn().lower()})
    site = Site(settings, clock or (lambda: settings.as_of or datetime.now(UTC)), run_command, names)
    pulse = Pulse(site)

    def listen(_ask: Ask) -> Response:
        return pulse.response()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        site.reader.close()

    app = Starlette(
        routes=[
            *routes,
            Route("/health", _health),
            *act.routes(),
            *runbooks.routes(),
            *static_files.routes(),
            page("/live", listen),
            *(route for place in ALL for route in place.routes()),
        ],
        middleware=[Middleware(_Guarded)],
        exception_handlers={500: _failed, Unusable: _unusable},
        lifespan=lifespan,
    )
    app.state.site = site
    return app


async def warm(app: Starlette) -> int:
    """Request the first page once, as a browser on this machine would. This loads the modules, so that the first
    visitor does not have to wait for them.

    Returns the HTTP status of the page; 0 if there was no answer. An error is not reported here, because the page of
    the first visitor reports it.
    """
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
    }
    with suppress(Exception):
        await app(scope, receive, send)
    return status


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _unusable(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=503)


async def _failed(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("This page failed. The log of `ops serve` says why.\n", status_code=500)
