"""Finds out whether the server of a ledger still answers. If a server has stopped but its machine keeps the connection
open, a query raises no error and waits for ever.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from ops_project.operations.ledger.store import connection_options, with_driver
from ops_project.operations.ledger.unusable import LedgerUnusable, is_server, shown
from ops_project.process.time_limit import NotAnswered, within

PATIENCE_SECONDS = 5.0


def silent(url: str, seconds: float = PATIENCE_SECONDS) -> str:
    """Why the ledger cannot be used, if its server does not answer a new connection within `seconds`. Empty if the
    server answers or refuses the connection. Also empty for a ledger in a file. In these cases, using the ledger raises
    the error itself.
    """
    parsed = with_driver(make_url(url))
    if not is_server(parsed):
        return ""

    def ask() -> None:
        # An error is an answer too.
        with suppress(Exception):
            engine = create_engine(parsed, poolclass=NullPool, connect_args=connection_options(parsed))
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))

    try:
        within(shown(parsed), ask, seconds)
    except NotAnswered:
        return str(LedgerUnusable(shown(parsed), TimeoutError(f"it has not answered for {seconds:g} s"), True))
    return ""
