"""One small page that is readable on a telephone and needs no script."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """A page with this title and body. `body` is HTML in which the caller has escaped everything that came from
    outside.
    """
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/static/message.css"></head>'
        f"<body><main>{body}</main></body></html>",
        status_code=status,
    )
