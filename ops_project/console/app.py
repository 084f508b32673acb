"""The application: `create_app` joins the routes of each part, and more can be given to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops_project.console import act, runbooks
from ops_project.console.site import Site
from ops_project.settings import Settings

HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
}


class _Guarded:
    """The same headers on every answer: nothing is cached, framed or sent on, and no script runs."""

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
    settings: Settings, *, clock: Callable[[], datetime] | None = None, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application of one home. `routes`: further pages, which are asked first. `clock`: UTC; default now."""
    site = Site(settings, clock or (lambda: settings.as_of or datetime.now(UTC)))
    app = Starlette(
        routes=[*routes, Route("/health", _health), *act.routes(), *runbooks.routes()],
        middleware=[Middleware(_Guarded)],
        exception_handlers={500: _failed},
    )
    app.state.site = site
    return app


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _failed(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("This page failed. The log of `ops serve` says why.\n", status_code=500)
