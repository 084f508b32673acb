"""The errors of a ledger that cannot be used: its file is damaged or locked, its disk is full, or its server
has gone.
"""

from __future__ import annotations

from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from ops_project.failures import Unusable

_NEXT_OF_A_FILE = (
    "If it is locked, end the program that holds it; if the disk is full or read-only, mend that; if the file is "
    "damaged, move it away and copy it back from a backup, or let the next run make a new one, which has no history."
)
_NEXT_OF_A_SERVER = (
    "See whether the server runs and can be reached from here, and compare OPS_LEDGER_URL: server, port, database, "
    "user and password. When it is back, the next cycle records what happened meanwhile."
)


_REFUSED_BY_A_TRIGGER = "P0001"


class LedgerUnusable(Unusable, SQLAlchemyError):
    """The ledger cannot be opened. The message names the ledger, the reason, and what to do."""

    def __init__(self, where: str, error: Exception, on_a_server: bool = False) -> None:
        super().__init__(_words(where, error, on_a_server))


class LedgerFailed(LedgerUnusable, OperationalError):
    """An open ledger has failed: its server has gone, its file is damaged, or its disk is full. This class is also a
    subclass of the error that SQLAlchemy would have raised.
    """

    def __init__(self, where: str, error: DBAPIError, on_a_server: bool = False) -> None:
        OperationalError.__init__(
            self,
            error.statement,
            error.params,
            error.orig or error,
            connection_invalidated=error.connection_invalidated,
        )
        self.words = _words(where, error, on_a_server)

    def __str__(self) -> str:
        return self.words


class LedgerNewer(LedgerUnusable):
    """A newer version of the project has migrated the ledger. An older version meets such a ledger, for example, after
    the code was rolled back.
    """

    def __init__(self, where: str, found: str, known: str) -> None:
        RuntimeError.__init__(
            self,
            f"The ledger {where} cannot be used: a newer version of this project has migrated it to {found}, and this "
            f"version knows {known} at most. Nothing about alerts can be read or recorded by this version; data is "
            "built all the same. Use the newer version, or bring back a ledger from a backup that is older than it "
            "(`ops backup list`).",
        )


def _words(where: str, error: Exception, on_a_server: bool) -> str:
    reason = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".?")
    return (
        f"The ledger {where} cannot be used: {reason}. Until it can be used again, nothing about alerts can be read or "
        f"recorded; data is still built. {_NEXT_OF_A_SERVER if on_a_server else _NEXT_OF_A_FILE}"
    )


def is_server(url: URL) -> bool:
    """Whether the ledger is kept by a server, and not in a file."""
    return url.get_backend_name() != "sqlite"


def as_unusable(url: URL, context: ExceptionContext) -> LedgerUnusable | None:
    """The error that is raised when the server of an open ledger has gone or its file is damaged. Its text is the same
    as that of a ledger that cannot be opened. None for errors of the program, such as a key that already exists; they
    are raised unchanged.
    """
    if isinstance(context.original_exception, UnicodeDecodeError):
        return LedgerUnusable(shown(url), context.original_exception, is_server(url))
    error = context.sqlalchemy_exception
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    if isinstance(error, IntegrityError | ProgrammingError | DataError):
        return None
    if getattr(error.orig, "pgcode", None) == _REFUSED_BY_A_TRIGGER:
        return None
    return LedgerFailed(shown(url), error, is_server(url))


def shown(url: URL) -> str:
    """The place of the ledger, for people: its file, or its address without the password."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    # The user wrote postgresql:// without the name of a driver.
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
