"""`ops alerts ack`: record who works on an alert."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ops_project.cli.numbers import refuse_any, several_numbers
from ops_project.cli.output import console, emit, json_option
from ops_project.cli.person import by_option
from ops_project.settings import Settings

# How many of the newest waiting messages are searched for acknowledgements that have not been sent.
WAITING = 500


@click.command()
@several_numbers
@by_option("The person who works on the alert.")
@click.option("--note", default="", help="A note for the other readers.")
@json_option
@click.pass_obj
def ack(settings: Settings, numbers: tuple[int, ...], by: str, note: str, as_json: bool) -> None:
    """Acknowledge open alerts: their messages are not repeated, and PagerDuty stops paging.

    Messages about new alerts of the same group, and about the end of these alerts, are still sent.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.model.alerting.alert import FIRING
    from ops_project.operations.alerting.acknowledge_now import take_up_only
    from ops_project.operations.alerting.cycle import daemon_beats
    from ops_project.operations.ledger import open_ledger

    ledger, now = open_ledger(settings), settings.now()
    given = ledger.acknowledgements()

    def why(number: int) -> str:
        alert = ledger.alert(number)
        if alert is None:
            return f"there is no alert {number}; `ops alerts list` shows those that are open"
        return "" if alert.status == FIRING else f"alert {number} is {alert.status}: there is nothing to acknowledge"

    refuse_any(numbers, why)
    result: list[dict[str, Any]] = []
    for number in numbers:
        alert, before = ledger.alert(number), given.get(number)
        assert alert is not None
        if before is not None and before.at >= alert.starts_at:
            result.append({"alert": number, "by": before.by, "at": before.at, "note": before.note, "new": False})
        else:
            ledger.acknowledge(number, by, note, now)
            result.append({"alert": number, "by": by, "at": now, "note": note, "new": True})
    left = ""
    if daemon_beats(ledger, datetime.now(UTC)):
        left = "the daemon applies it within seconds, and tells PagerDuty."
    else:
        take_up_only(settings, load_catalog(settings), now, lambda: datetime.now(UTC))
        kept = ledger.acknowledgements()
        if any(kept[number].told_at is None for number in numbers):
            left = "the next cycle applies it, and tells PagerDuty."
        elif any(m["kind"] == "acknowledge" for m in ledger.outbox_list("pending", WAITING)):
            left = "PagerDuty has not been told yet; the next cycle does so."
    for item in result:
        item["left"] = left

    def render() -> None:
        for item in result:
            word = "acknowledged by" if item["new"] else "was acknowledged already by"
            console.print(f"Alert {item['alert']} {word} {item['by']}, {item['at']:%Y-%m-%d %H:%M} UTC.", markup=False)
        if left:
            console.print(f"Recorded: {left}", markup=False)

    emit(as_json, result, render)
