"""Refuses requests to the Dagster UI that come from a page of another site, and requests for a host name that this
machine does not have.

Dagster's web server has no login. It answers every page that a browser on this machine shows, so any site could start
and delete runs through it. A browser sends the site of the page (`Origin`) and the host name that it asks for (`Host`).
Both are checked here, for requests and for web sockets.

A program that sends no origin is allowed: it runs on this machine, or in the network that `--host` opened.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
FORBIDDEN = 403
POLICY_VIOLATION = 1008


class SameOrigin:
    """ASGI middleware. `names`: the host names that a browser may use. IP addresses are always allowed."""

    def __init__(self, app: App, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
            reason = refusal(headers.get("host", ""), headers.get("origin"), self.names)
            if reason is not None:
                await _refuse(scope, receive, send, reason)
                return
        await self.app(scope, receive, send)


def refusal(host: str, origin: str | None, names: frozenset[str]) -> str | None:
    """Why a request is refused; None if it is allowed."""
    name = _name(host)
    if not name or not (name in names or _is_address(name)):
        return (
            f"this UI is not called {host!r}: ask for it by its address, or start it with --allow-host {name or 'NAME'}"
        )
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"a page of {origin!r} may not ask this UI"
    return None


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _refuse(scope: Message, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason[:100]})
        return
    body = f"Refused: {reason}.\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": body})
