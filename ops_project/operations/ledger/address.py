"""Checks whether OPS_LEDGER_URL can be the address of a ledger. A wrong address is treated like a ledger that cannot be
used: data is still built, and people are told without the ledger.
"""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ops_project.operations.ledger.unusable import LedgerUnusable

NEXT = (
    "Write sqlite:////folder/ledger.db or postgresql://user:password@host:port/database, or unset it: then the ledger "
    "is in the home."
)


class LedgerMisnamed(LedgerUnusable):
    """OPS_LEDGER_URL is not the address of a ledger. The message does not contain the URL, because it may hold a
    password.
    """

    def __init__(self, reason: str) -> None:
        RuntimeError.__init__(
            self,
            f"OPS_LEDGER_URL is not the address of a ledger: {reason}. Until it is corrected, nothing about alerts can "
            f"be read or recorded; data is still built. {NEXT}",
        )


def wrong_address(url: str) -> str:
    """Why `url` cannot be the address of a ledger; empty if it can be."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "it cannot be read"
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        return "it begins neither with sqlite:/// nor with postgresql://"
    if backend == "sqlite" and (not parsed.database or parsed.database == ":memory:" or "mode" in parsed.query):
        return "it names no file, so nothing would be kept"
    return ""
