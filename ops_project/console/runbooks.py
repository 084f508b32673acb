"""The runbooks as pages, so that a message can link them."""

from __future__ import annotations

from html import escape

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.page import page
from ops_project.console.site import site_of
from ops_project.operations.incidents.runbooks import NoRunbook, read, slugs

# HTML in a runbook is shown as text. A runbook may come from an overlay, and a script in it must not run in the
# browser.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


BACK = '<p><a href="/">Console</a></p>'
BACK_TO_ALL = '<p><a href="/">Console</a> / <a href="/runbooks">Runbooks</a></p>'


def routes() -> list[Route]:
    """The route of the list, and the route of a single runbook."""
    return [Route("/runbooks", _list), Route("/runbooks/{slug}", _one)]


async def _list(request: Request) -> Response:
    catalog = site_of(request).catalog
    rows = "".join(
        f'<li><a href="/runbooks/{escape(slug, quote=True)}">{escape(read(catalog, slug).title)}</a></li>'
        for slug in slugs(catalog)
    )
    return page("Runbooks", f"{BACK}<h1>Runbooks</h1><ul>{rows}</ul>")


async def _one(request: Request) -> Response:
    slug = request.path_params["slug"]
    try:
        found = read(site_of(request).catalog, slug)
    except NoRunbook as error:
        return page("No such runbook", f"{BACK_TO_ALL}<h1>{escape(str(error))}</h1>", 404)
    return page(found.title, BACK_TO_ALL + _MARKDOWN.render(found.text))
