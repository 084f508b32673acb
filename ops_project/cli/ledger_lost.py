"""What a command does when alerts could not be recorded: it says so, here and through a channel without the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from ops_project.cli.faults import in_words, say
from ops_project.settings import Settings


def tell_without_ledger(settings: Settings, words: str) -> None:
    """Say `words` on standard error, and page by the spare ledger. What fails of it is said and stops nothing."""
    say(f"alerts were not recorded: {words}")
    try:
        from ops_project.catalog import load as load_catalog
        from ops_project.operations.alerting import spare

        report = spare.tell(settings, load_catalog(settings), settings.now(), words, lambda: datetime.now(UTC))
        if report.delivery.delivered:
            say(f"told without the ledger: {report.delivery.delivered} messages")
    except Exception as error:
        say(f"and could not be told without the ledger either: {in_words(error, settings)}")


def tell_ledger_back(settings: Settings) -> None:
    """After a cycle that could be recorded: whoever was told without the ledger hears that it is back."""
    from ops_project.operations.alerting import spare

    if spare.told(settings):
        from ops_project.catalog import load as load_catalog

        spare.take_back(settings, load_catalog(settings), settings.now(), lambda: datetime.now(UTC))
