"""`ops alerts ack`: say that somebody works on it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option
from ops_project.settings import Settings


@click.command()
@click.argument("numbers", metavar="NUMBER...", type=int, nargs=-1, required=True)
@click.option("--by", default=getpass.getuser, show_default="the user", help="Who works on it.")
@click.option("--note", default="", help="A word for the others.")
@json_option
@click.pass_obj
def ack(settings: Settings, numbers: tuple[int, ...], by: str, note: str, as_json: bool) -> None:
    """Acknowledge open alerts: they are not repeated, and PagerDuty stops paging. News and their end are told still."""
    from ops_project.catalog import load as load_catalog
    from ops_project.model.alert import FIRING
    from ops_project.runtime.cycle import open_ledger, run_once

    ledger, now = open_ledger(settings), settings.now()
    given = ledger.acknowledgements()
    # Nothing is done where one of them is wrong.
    for number in numbers:
        alert = ledger.alert(number)
        if alert is None:
            raise click.ClickException(f"there is no alert {number}; `ops alerts list` shows those that are open")
        if alert.status != FIRING:
            raise click.ClickException(f"alert {number} is {alert.status}: there is nothing to acknowledge")
    result: list[dict[str, Any]] = []
    for number in numbers:
        alert, before = ledger.alert(number), given.get(number)
        assert alert is not None
        if before is not None and before.at >= alert.starts_at:
            result.append({"alert": number, "by": before.by, "at": before.at, "note": before.note, "new": False})
        else:
            ledger.acknowledge(number, by, note, now)
            result.append({"alert": number, "by": by, "at": now, "note": note, "new": True})
    # Where no daemon does it within seconds: take it up, and tell the pager.
    run_once(settings, load_catalog(settings), now, clock=lambda: datetime.now(UTC), observers=())

    def render() -> None:
        for item in result:
            word = "acknowledged by" if item["new"] else "was acknowledged already by"
            console.print(f"Alert {item['alert']} {word} {item['by']}, {item['at']:%Y-%m-%d %H:%M} UTC.", markup=False)

    emit(as_json, result, render)
