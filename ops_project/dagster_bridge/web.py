"""Dagster's web server with `SameOrigin` in front of it: `python -m ops_project.dagster_bridge.web`. The module uses
the server's list of middleware, which is an internal API. A test fails if that API changes.
"""

from __future__ import annotations

import socket
from typing import Any

from dagster_webserver.cli import main
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware

from ops_project.dagster_bridge.same_origin import SameOrigin
from ops_project.dagster_bridge.speaking import one_line
from ops_project.settings import Settings

ALLOWED = "OPS_UI_ALLOWED_HOSTS"
"""Names, separated by commas, that browsers may use besides this machine's own names."""


def names() -> frozenset[str]:
    """The names that browsers may use: those of this machine, and those in ALLOWED."""
    more = (name.strip() for name in (Settings.secret(ALLOWED) or "").split(","))
    return frozenset(name.lower() for name in ("localhost", socket.gethostname(), socket.getfqdn(), *more) if name)


class GuardedWebserver(DagsterWebserver[Any, Any]):
    """Like Dagster's web server, but it refuses requests from other sites first."""

    def build_middleware(self) -> list[Middleware]:
        return [Middleware(SameOrigin, names=names()), *DagsterWebserver.build_middleware(self)]


def serve() -> None:
    """Dagster's command line, with the guarded server."""
    from dagster_webserver import app

    # Dagster takes the class from this place when it makes the application.
    setattr(app, "DagsterWebserver", GuardedWebserver)  # noqa: B010
    with one_line():
        main()  # type: ignore[no-untyped-call]  # Dagster does not type it


if __name__ == "__main__":
    serve()
