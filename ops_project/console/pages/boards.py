"""Boards of figures. Each figure opens a page with its definition, its SQL, its source, its time and all rows."""

from __future__ import annotations

import json

from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.figures import Answer, answer, bars, chart
from ops_project.console.views import Ask, NotThere, page
from ops_project.queries import QueryError, domains
from ops_project.queries.boards import REPORTS, TITLES, Figure, figure, figures, of_domain

FIRST = "operational"


def routes() -> list[Route]:
    return [
        page("/boards", lambda ask: board(ask, FIRST)),
        page("/boards/{board}", lambda ask: board(ask, str(ask.path["board"]))),
        page("/figures/{board}/{name}.json", as_json),
        page("/figures/{board}/{name}", one),
    ]


def board(ask: Ask, name: str) -> Response:
    """One board."""
    if name == REPORTS:
        raise NotThere("the figures of a report are shown with its period; open Reports")
    try:
        wanted = of_domain(name[8:]) if name.startswith("queries-") else figures(name)
    except QueryError as error:
        raise NotThere(str(error)) from None
    found = [answer(ask.site, item, ask.now) for item in wanted]
    return ask.show(
        "board.html.j2",
        board=name,
        boards=[*TITLES.items(), *((f"queries-{domain}", f"{_title(ask, domain)} queries") for domain in domains())],
        answers=[(item, _drawn(item)) for item in found],
    )


def _title(ask: Ask, domain: str) -> str:
    known = ask.site.catalog.domains.domains
    return known[domain].title if domain in known else domain


def _drawn(found: Answer) -> dict[str, object]:
    if found.figure.shape == "line":
        drawn = chart(found)
        return {"chart": json.dumps(drawn) if drawn is not None else ""}
    return {"bars": bars(found) if found.figure.shape == "bars" else []}


def _find(ask: Ask) -> Figure:
    try:
        return figure(str(ask.path["board"]), str(ask.path["name"]))
    except QueryError as error:
        raise NotThere(str(error)) from None


def one(ask: Ask) -> Response:
    """One figure with its definition, its source and its rows."""
    found = answer(ask.site, _find(ask), ask.now)
    return ask.show("figure.html.j2", found=found, drawn=_drawn(found), board=found.figure.board, reports=REPORTS)


def as_json(ask: Ask) -> Response:
    """The same figure as JSON, for programs."""
    found = answer(ask.site, _find(ask), ask.now)
    body = {
        "figure": found.figure.id,
        "title": found.figure.title,
        "tells": found.figure.tells,
        "sql": found.figure.sql,
        "source": found.source,
        "source_as_of": found.source_as_of,
        "asked_at": found.asked_at,
        "unknown": found.unknown or None,
        "absent_tables": list(found.absent),
        "columns": list(found.columns),
        "rows": [list(row) for row in found.rows],
    }
    return Response(json.dumps(body, default=_plain, indent=1), media_type="application/json")


def _plain(value: object) -> object:
    return float(value) if type(value).__name__ == "Decimal" else str(value)  # type: ignore[arg-type]  # a Decimal is one
