"""Records in the ledger that a process no longer decides about alerts, because it was stopped."""

from __future__ import annotations

from datetime import UTC, datetime

from ops_project.cli.faults import in_words, say
from ops_project.operations.alerting import authority
from ops_project.operations.ledger import open_ledger
from ops_project.process.time_limit import within
from ops_project.settings import Settings

PATIENCE_SECONDS = 5.0


def record_end(settings: Settings, role: str) -> None:
    """Record in the ledger that the process with this role has ended. Without the record, other commands would leave
    the decisions about alerts to it for another minute. If the ledger cannot be used, a message is printed and no error
    is raised.
    """
    try:
        within(
            settings.ledger_shown,
            lambda: authority.stopped(open_ledger(settings), role, datetime.now(UTC)),
            PATIENCE_SECONDS,
        )
    except Exception as error:
        say(
            f"The end of this process was not recorded: {in_words(error, settings)} "
            "For a minute, other commands leave the decisions about alerts to this process; then `ops cycle` decides."
        )
