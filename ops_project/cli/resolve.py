"""`ops alerts resolve`: close an alert that will not close by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ops_project.cli.numbers import refuse_any, several_numbers
from ops_project.cli.output import console, emit, json_option
from ops_project.cli.person import by_option
from ops_project.settings import Settings


@click.command()
@several_numbers
@click.option("--why", required=True, help="Why the alert is over; stored in its timeline.")
@by_option("The person who closes it.")
@json_option
@click.pass_obj
def resolve(settings: Settings, numbers: tuple[int, ...], why: str, by: str, as_json: bool) -> None:
    """Close open alerts by hand. The next failing signal opens the alert again."""
    from ops_project.catalog import load as load_catalog
    from ops_project.model.alerting.alert import RESOLVED
    from ops_project.operations.alerting.cycle import daemon_beats
    from ops_project.operations.alerting.resolve_now import close_only
    from ops_project.operations.ledger import open_ledger

    if not why.strip():
        raise click.UsageError("--why is empty: say why the alert is over")
    ledger, now = open_ledger(settings), settings.now()

    def refusal(number: int) -> str:
        alert = ledger.alert(number)
        if alert is None:
            return f"there is no alert {number}; `ops alerts list` shows those that are open"
        return f"alert {number} is resolved already: there is nothing to close" if alert.status == RESOLVED else ""

    refuse_any(numbers, refusal)
    for number in numbers:
        ledger.resolve(number, by, why, now)
    if not daemon_beats(ledger, datetime.now(UTC)):
        close_only(settings, load_catalog(settings), now, lambda: datetime.now(UTC))
    closed = {number for number in numbers if (found := ledger.alert(number)) and found.status == RESOLVED}
    result: list[dict[str, Any]] = [
        {"alert": number, "by": by, "why": why, "at": now, "closed": number in closed} for number in numbers
    ]

    def render() -> None:
        for number in numbers:
            if number in closed:
                console.print(f"Alert {number} is resolved by {by}; the next cycle sends the message.", markup=False)
            else:
                console.print(
                    f"Stored: the daemon resolves alert {number} within seconds, and sends the message.", markup=False
                )

    emit(as_json, result, render)
