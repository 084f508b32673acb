"""The list of the reports that have been made, and the page of one report."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.pages.incidents import MARKDOWN
from ops_project.console.views import Ask, NotThere, page
from ops_project.operations.reports import document, kept
from ops_project.operations.reports.facts import ReportFacts
from ops_project.operations.reports.judge import judge
from ops_project.operations.reports.kinds import KINDS

LISTED = 60


def routes() -> list[Route]:
    return [
        page("/reports", listed),
        page("/reports/{kind}/{last}", one),
        page("/reports/{kind}/{last}/{shape}", as_file),
    ]


def listed(ask: Ask) -> Response:
    found = kept.listed(ask.site.settings)[:LISTED]
    rows, unreadable = [], []
    for item in found:
        try:
            known = kept.load(ask.site.settings, item.kind, item.last)
        except kept.ReportUnusable as error:
            unreadable.append(str(error))
            continue
        if known is not None:
            rows.append((item, known, judge(known)))
    return ask.show("reports.html.j2", rows=rows, kinds=KINDS, unreadable=unreadable)


def _find(ask: Ask) -> ReportFacts:
    kind, text = str(ask.path["kind"]), str(ask.path["last"])
    try:
        found = kept.load(ask.site.settings, kind, date.fromisoformat(text)) if kind in KINDS else None
    except ValueError:
        found = None
    if found is None:
        raise NotThere(f"no report {kind} of {text} is kept; `ops report {kind} --date {text}` draws it up")
    return found


def one(ask: Ask) -> Response:
    facts = _find(ask)
    html = Markup(MARKDOWN.render(document.as_markdown(facts)))
    return ask.show("report.html.j2", facts=facts, html=html, state=judge(facts).state)


def as_file(ask: Ask) -> Response:
    facts, shape = _find(ask), str(ask.path["shape"])
    if shape not in ("md", "html"):
        raise NotThere("a report is kept as md and html; `ops report` prints a PDF")
    text = document.as_markdown(facts) if shape == "md" else document.as_html(facts)
    headers = {"content-disposition": f'attachment; filename="{facts.kind}-{facts.last}.{shape}"'}
    return Response(text, media_type="text/markdown" if shape == "md" else "text/html", headers=headers)
