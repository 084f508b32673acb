"""The pages behind the links in messages. Opening a link changes nothing, because a mail scanner may open it too. The
page has a button that carries out the action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.forms import FormTooLarge, form_of
from ops_project.console.page import page
from ops_project.console.site import Site, site_of
from ops_project.operations.incidents import actions
from ops_project.operations.incidents.decide.incident import Incident, Refused
from ops_project.operations.incidents.links import ACTIONS, KeyExposed, Link, LinkRefused, key, verify
from ops_project.operations.incidents.silencing import silence_firing
from ops_project.operations.ledger.incidents import NoIncident

SILENCE = timedelta(hours=1)
AGENT = 120
Form = Mapping[str, str]


def routes() -> list[Route]:
    """The routes of an action: GET shows its page, and POST carries it out."""
    return [Route("/act/{link}", _show, methods=["GET"]), Route("/act/{link}", _do, methods=["POST"])]


async def _show(request: Request) -> Response:
    return await run_in_threadpool(_shown, site_of(request), request.path_params["link"])


async def _do(request: Request) -> Response:
    try:
        sent = await form_of(request)
    except FormTooLarge as error:
        return page("Refused", f'<h1 class="refused">{error}</h1>', 413)
    form = {name: value.strip() for name, value in sent.items()}
    host = request.client.host if request.client else "unknown"
    source = f"link, {host}, {request.headers.get('user-agent', '')[:AGENT]}"
    return await run_in_threadpool(_done, site_of(request), request.path_params["link"], form, source)


def _open(site: Site, text: str) -> tuple[Link, Incident]:
    """The verified link, and the incident that it is about. `text` is the signed part of the address. Raises
    LinkRefused.
    """
    try:
        link = verify(text, key(site.settings.links), site.clock())
    except KeyExposed as error:
        raise LinkRefused(f"links cannot be checked: {error}") from None
    incident = site.ledger.incident(link.incident)
    if incident is None or link.action not in ACTIONS:
        raise LinkRefused("this link belongs to another home")
    return link, incident


def _shown(site: Site, text: str) -> Response:
    try:
        link, incident = _open(site, text)
    except LinkRefused as error:
        return _refused(str(error))
    if site.ledger.link_used(link.id):
        return page(
            f"Incident {incident.number}", _facts(site, incident) + "<p>This link has been used already.</p>", 410
        )
    return page(f"Incident {incident.number}", _facts(site, incident) + _form(site, link))


def _facts(site: Site, incident: Incident) -> str:
    zone = site.catalog.platform.zone
    rows = {
        "Status": incident.status + (f", {incident.responder}" if incident.responder else ""),
        "Priority": f"{incident.priority} ({incident.severity})",
        "Since": f"{incident.opened_at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}",
        "Pipeline": incident.pipeline,
        "Tables": ", ".join(incident.assets),
    }
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items() if value)
    slug = incident.runbook
    runbook = f'<p><a href="/runbooks/{escape(slug, quote=True)}">Open the runbook</a></p>' if slug else ""
    return f"<h1>Incident {incident.number}: {escape(incident.title)}</h1><dl>{listed}</dl>{runbook}"


def _form(site: Site, link: Link, missing: str = "") -> str:
    fields = f'<p class="refused">{escape(missing)}</p>' if missing else ""
    if not link.who:
        options = "".join(
            f'<option value="{escape(slug, quote=True)}">{escape(person.name)}</option>'
            for slug, person in sorted(site.catalog.owners.people.items())
        )
        fields += '<label for="who">Who are you?</label><select id="who" name="who" required>'
        fields += f'<option value=""></option>{options}</select>'
    if link.action == "resolve":
        fields += '<label for="cause">What was the cause?</label><input id="cause" name="cause" required>'
        fields += '<label for="reason">What ended it?</label><input id="reason" name="reason" required>'
    return f'<form method="post">{fields}<button type="submit">{ACTIONS[link.action]}</button></form>'


def _done(site: Site, text: str, form: Form, source: str) -> Response:
    ledger, now = site.ledger, site.clock()
    try:
        link, incident = _open(site, text)
    except LinkRefused as error:
        ledger.audit(now, who="unknown", source=source, action="link", subject="", outcome="refused", detail=str(error))
        return _refused(str(error))
    subject = f"incident {incident.number}"
    who = link.who or form.get("who", "")
    if who not in site.catalog.owners.people:
        return page(subject, _facts(site, incident) + _form(site, link, "Say who you are."), 422)
    if link.action == "resolve" and not (form.get("cause") and form.get("reason")):
        return page(
            subject, _facts(site, incident) + _form(site, link, "Say what the cause was and what ended it."), 422
        )
    if not ledger.use_link(link.id, who, now):
        ledger.audit(
            now,
            who=who,
            source=source,
            action=link.action,
            subject=subject,
            outcome="refused",
            detail="the link was used before",
        )
        return _refused("This link has been used already; each link works once.", 410)
    try:
        said = _DEEDS[link.action](site, incident, who, form)
    except (Refused, NoIncident) as error:
        ledger.audit(
            now, who=who, source=source, action=link.action, subject=subject, outcome="refused", detail=str(error)
        )
        return page(subject, f'<h1 class="refused">{escape(str(error))}</h1>' + _facts(site, incident), 409)
    ledger.audit(now, who=who, source=source, action=link.action, subject=subject, outcome="done", detail=said)
    after = ledger.incident(incident.number) or incident
    return page(subject, f'<div class="done"><h1>{escape(said)}</h1></div>' + _facts(site, after))


def _refused(words: str, status: int = 403) -> Response:
    return page("Refused", f'<h1 class="refused">{escape(words)}</h1><p>Nothing was changed.</p>', status)


def _acknowledge(site: Site, incident: Incident, who: str, _form: Form) -> str:
    actions.acknowledge(site.ledger, incident.number, who, "from a message", site.clock())
    return f"Acknowledged by {who}. Nobody else is called."


def _take(site: Site, incident: Incident, who: str, _form: Form) -> str:
    actions.take_over(site.ledger, incident.number, who, site.clock())
    return f"{who} works on it now."


def _resolve(site: Site, incident: Incident, who: str, form: Form) -> str:
    actions.resolve(site.ledger, incident.number, by=who, cause=form["cause"], reason=form["reason"], now=site.clock())
    return f"Resolved by {who}."


def _silence(site: Site, incident: Incident, who: str, _form: Form) -> str:
    """Silence exactly the alerts that fire, for one hour. Other alerts are still sent."""
    now = site.clock()
    silence_firing(
        site.ledger, incident, by=who, span=SILENCE, why=f"from the message of incident {incident.number}", now=now
    )
    return f"Silent until {now + SILENCE:%H:%M} UTC. Other alerts are still sent."


_DEEDS: Mapping[str, Callable[[Site, Incident, str, Form], str]] = {
    "acknowledge": _acknowledge,
    "take": _take,
    "resolve": _resolve,
    "silence": _silence,
}
