"""The scripts, the stylesheet and the icon. They are part of the package, and each file is read once. Nothing is
fetched from outside.
"""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops_project.console.render import STATIC

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


def routes() -> list[Route]:
    return [Route("/static/{path:path}", _file, methods=["GET"])]


@lru_cache(maxsize=1)
def _files() -> dict[str, tuple[bytes, str]]:
    return {
        path.relative_to(STATIC).as_posix(): (path.read_bytes(), KINDS[path.suffix])
        for path in STATIC.rglob("*")
        if path.suffix in KINDS
    }


async def _file(request: Request) -> Response:
    found = _files().get(request.path_params["path"])
    if found is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    # The address of each file changes with its content.
    headers = {"cache-control": "public, max-age=31536000, immutable"} if request.url.query else {}
    return Response(found[0], media_type=found[1], headers=headers)
