"""What a command does if alerts could not be recorded in the ledger. It prints a message, and pages people through
channels that do not need the ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ops_project.cli.faults import in_words, say
from ops_project.settings import Settings


def tell_without_ledger(settings: Settings, words: str) -> None:
    """Print `words` on standard error, and page people with the help of the spare ledger. If the people cannot be paged
    either, the command prints a message and continues.
    """
    say(f"alerts were not recorded: {words}")
    try:
        from ops_project.catalog import load as load_catalog
        from ops_project.operations.alerting import spare

        report = spare.tell(settings, load_catalog(settings), settings.now(), words, lambda: datetime.now(UTC))
        if report.delivery.delivered:
            say(f"messages sent without the ledger: {report.delivery.delivered}")
    except Exception as error:
        say(f"no message could be sent without the ledger either: {in_words(error, settings)}")


def tell_ledger_back(settings: Settings) -> None:
    """Tell the people who were paged without the ledger that the ledger can be used again. Called after a cycle was
    recorded.
    """
    from ops_project.operations.alerting import spare

    if spare.told(settings):
        from ops_project.catalog import load as load_catalog

        spare.take_back(settings, load_catalog(settings), settings.now(), lambda: datetime.now(UTC))
