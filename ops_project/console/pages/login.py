"""The pages for logging in and out. On this machine, a page for choosing the person who acts."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ops_project.console.access import passwords
from ops_project.console.access import session as sessions
from ops_project.console.access.visitor import READER, Visitor, from_elsewhere, known
from ops_project.console.forms import FormTooLarge, form_of
from ops_project.console.site import Site, site_of
from ops_project.console.views import Ask, Wrong, back, deed, keep

NOBODY = passwords.line_of("a password that nobody has")


def routes() -> list[Route]:
    return [
        Route("/login", _login, methods=["GET", "POST"]),
        deed("/logout", _logout, command=""),
        deed("/who", _who, command=""),
    ]


async def _login(request: Request) -> Response:
    try:
        form = await form_of(request)
    except FormTooLarge as error:
        return Response(f"{error}\n", 413, media_type="text/plain")
    return await run_in_threadpool(_asked, request, form)


def _asked(request: Request, form: dict[str, str]) -> Response:
    site = site_of(request)
    now = site.clock()
    users = site.catalog.console.users
    headers = {name.lower(): value for name, value in request.headers.items()}
    # Another site could send a form that logs the visitor in as somebody else. So a login is accepted only from our own
    # form, whatever the name and the password are.
    if request.method == "POST" and not from_elsewhere(headers):
        name, password = form.get("name", "").strip(), form.get("password", "")
        host = request.client.host if request.client else "unknown"
        subjects = (f"name {name}", f"address {host}")
        if site.attempts.blocked(subjects, now):
            return _form(site, request, "Too many wrong passwords: wait five minutes.", 429)
        line = users[name].password if name in users else None
        # An unknown name takes the same work as a known one, so that the time of the answer does not reveal which names
        # exist.
        right = passwords.matches(password, line or NOBODY) and line is not None
        site.ledger.audit(
            now,
            who=name[:80],
            source=f"console, {host}",
            action="log in",
            subject="console",
            outcome="done" if right else "refused",
            detail="",
        )
        if not right:
            site.attempts.failed(subjects, now)
            return _form(site, request, "The name or the password is wrong.", 403)
        session = sessions.new(sessions.LOGIN, name, now, site.catalog.console.session)
        response = RedirectResponse(_inside(form.get("next", "/")), status_code=303)
        visitor = known(name, sessions.LOGIN, site.catalog.console, site.catalog.roles)
        ask = Ask(site=site, request=request, visitor=visitor, session=session, token="", form={}, now=now)
        keep(response, ask, session)
        return response
    return _form(site, request, "", 200)


def _form(site: Site, request: Request, words: str, status: int) -> Response:
    session = sessions.Session(sessions.LOGIN, "", "", 0)
    ask = Ask(
        site=site,
        request=request,
        visitor=Visitor("", READER, sessions.LOGIN),
        session=session,
        token="",
        form={},
        now=site.clock(),
    )
    return ask.show("login.html.j2", status, words=words, target=_inside(request.query_params.get("next", "/")))


def _logout(_ask: Ask) -> Response:
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(sessions.COOKIE)
    return response


def _who(ask: Ask) -> Response:
    if ask.visitor.how != sessions.LOOPBACK:
        raise Wrong("only a browser on this machine chooses who acts; elsewhere it is the person who logged in")
    who = ask.form.get("who", "")
    people = ask.site.catalog.owners.people
    if who and who not in people:
        raise Wrong(f"{who!r} is not a person of owners.yaml; valid: {', '.join(sorted(people))}")
    session = sessions.new(sessions.LOOPBACK, who, ask.now, ask.site.catalog.console.session)
    said = f"You act as {people[who].name}." if who else "Nobody acts."
    response = back(_inside(ask.form.get("next", "/")), said)
    keep(response, ask, session)
    return response


def _inside(path: str) -> str:
    """The path if it belongs to this console; otherwise the path of the first page. So a login never leads to another
    site.
    """
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
