"""Turns a request into a page. The module finds out who asks and whether that person may, reads the form, and turns
errors into pages that name the next step. A page is a function of an `Ask`. It runs in a thread, because it reads files
and databases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ops_project.catalog import ConfigError
from ops_project.console.access import session as sessions
from ops_project.console.access.session import Session
from ops_project.console.access.visitor import Stranger, Visitor, from_elsewhere, identify
from ops_project.console.forms import FormTooLarge, form_of
from ops_project.console.render import Frame, rendered
from ops_project.console.site import Site, site_of
from ops_project.failures import Unusable
from ops_project.operations.incidents.links import KeyExposed, key
from ops_project.operations.ledger.damage import damage

FLASH = "ops_flash"
FLASH_SECONDS = 30
AGENT = 120


class NotThere(LookupError):
    """The requested thing does not exist. The message names the things that exist."""


class Wrong(ValueError):
    """The form cannot be carried out. The message says what would be right."""


@dataclass(frozen=True)
class Ask:
    """One request, by one visitor."""

    site: Site
    request: Request
    visitor: Visitor
    session: Session
    token: str
    form: Mapping[str, str]
    now: datetime

    @property
    def path(self) -> Mapping[str, Any]:
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @property
    def partial(self) -> bool:
        """Whether a script asks for only a part of the page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def source(self) -> str:
        """Where the request came from, for the audit log."""
        host = self.request.client.host if self.request.client else "unknown"
        return f"console ({self.visitor.how}), {host}, {self.request.headers.get('user-agent', '')[:AGENT]}"

    def number(self, name: str) -> int:
        """A number in the path. Raises NotThere."""
        text = str(self.path[name])
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise NotThere(f"{text!r} is not a number")
        return int(text)

    def actor(self) -> str:
        """The id of the person who acts. Raises Wrong if no person has been chosen."""
        if not self.visitor.who:
            raise Wrong("say who you are first: choose your name at the top of the page")
        return self.visitor.who

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page made of a template."""
        flash = None if self.partial else flash_of(self.request)
        frame = Frame(
            site=self.site,
            visitor=self.visitor,
            token=self.token,
            path=self.request.url.path,
            now=self.now,
            flash=flash,
        )
        return rendered(frame, template, status, values)


View = Callable[[Ask], Response]


def page(path: str, view: View) -> Route:
    """A page that only reads."""
    return Route(path, partial(_answer, view, ""), methods=["GET"])


def deed(path: str, view: View, command: str) -> Route:
    """An action. It is accepted only from a form of the console, and only from a person whose role allows the same
    command in a shell.

    `command`: the words of that command after `ops`; empty if every person may do this.
    """
    return Route(path, partial(_answer, view, command), methods=["POST"])


def back(to: str, said: str, kind: str = "done") -> Response:
    """Redirect to a page, with a message that is shown there once."""
    response = RedirectResponse(to, status_code=303)
    text = quote(json.dumps([kind, said[:1000]]))
    response.set_cookie(FLASH, text, max_age=FLASH_SECONDS, httponly=True, samesite="strict")
    return response


def flash_of(request: Request) -> tuple[str, str] | None:
    """The kind and the text of the message that the last action left; None if there is none."""
    try:
        kind, said = json.loads(unquote(request.cookies.get(FLASH, "")))
    except (ValueError, TypeError):
        return None
    return (str(kind), str(said)) if kind in ("done", "refused") else None


async def _answer(view: View, command: str, request: Request) -> Response:
    try:
        sent = await form_of(request)
    except FormTooLarge as error:
        return Response(f"{error}\n", 413, media_type="text/plain")
    form = {name: value.strip() for name, value in sent.items()}
    return await run_in_threadpool(_told, view, command, request, form)


def _told(view: View, command: str, request: Request, form: Mapping[str, str]) -> Response:
    """The page; or, if the page failed and the ledger is damaged, an error that says so. The values in a damaged ledger
    can make any reader fail, and the reader's own error does not name the cause.
    """
    try:
        return _asked(view, command, request, form)
    except Unusable:
        raise
    except Exception:
        if (damaged := damage(site_of(request).settings.ledger_url)) is not None:
            raise damaged from None
        raise


def _asked(view: View, command: str, request: Request, form: Mapping[str, str]) -> Response:
    site = site_of(request)
    now = site.clock()
    try:
        secret, catalog = key(site.settings.links), site.catalog
    except (KeyExposed, ConfigError) as error:
        return Response(f"{error}\n", 503, media_type="text/plain")
    session = sessions.unseal(request.cookies.get(sessions.COOKIE, ""), secret, now)
    headers = {name.lower(): value for name, value in request.headers.items()}
    address = request.client.host if request.client else ""
    visitor = identify(
        address,
        headers,
        names=site.names,
        session=session,
        console=catalog.console,
        owners=catalog.owners,
        roles=catalog.roles,
    )
    if isinstance(visitor, Stranger):
        if visitor.login and request.method == "GET":
            return RedirectResponse(f"/login?next={quote(_within(request))}", status_code=303)
        return Response(f"{visitor.why}\n", 403, media_type="text/plain")
    fresh = session is None or session.how != visitor.how
    if fresh:
        session = sessions.new(visitor.how, visitor.who, now, catalog.console.session)
    assert session is not None
    ask = Ask(
        site=site,
        request=request,
        visitor=visitor,
        session=session,
        token=sessions.token(session, secret),
        form=form,
        now=now,
    )
    response = _allowed(ask, view, command, headers, now)
    if fresh and visitor.how != sessions.LOGIN:
        keep(response, ask, session)
    if request.method == "GET" and FLASH in request.cookies and not ask.partial:
        response.delete_cookie(FLASH)
    return response


def keep(response: Response, ask: Ask, session: Session) -> None:
    """Send the session's cookie to the browser."""
    console = ask.site.catalog.console
    response.set_cookie(
        sessions.COOKIE,
        sessions.seal(session, key(ask.site.settings.links)),
        max_age=int(console.session.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=console.secure_cookie,
    )


def _within(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _allowed(ask: Ask, view: View, command: str, headers: Mapping[str, str], now: datetime) -> Response:
    if ask.request.method == "POST":
        if from_elsewhere(headers) or ask.form.get("token") != ask.token:
            words = "This form did not come from a page of this console, or the page is old. Open it again."
            return ask.show("refused.html.j2", 403, words=words)
        if not ask.visitor.may(command):
            why, path = f"role {ask.visitor.role} may not call `ops {command}`", ask.request.url.path
            ask.site.ledger.audit(
                now, who=ask.visitor.who, source=ask.source, action="form", subject=path, outcome="refused", detail=why
            )
            able = " or ".join(name for name, role in ask.site.catalog.roles.roles.items() if role.allows(command))
            those = f"Only the role {able}" if able else "No role"
            words = f"{those} may call `ops {command}`; you are {ask.visitor.role}. roles.yaml says who has which role."
            return ask.show("refused.html.j2", 403, words=words)
    try:
        return view(ask)
    except NotThere as error:
        return ask.show("refused.html.j2", 404, words=str(error))
    except Wrong as error:
        return ask.show("refused.html.j2", 422, words=str(error))
