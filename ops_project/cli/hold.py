"""`ops hold` and `ops release`: stop building downstream tables, and build them again."""

from __future__ import annotations

from typing import Any

import click

from ops_project.cli.numbers import NUMBER
from ops_project.cli.output import console, emit, json_option, table
from ops_project.cli.person import by_option
from ops_project.counted import counted
from ops_project.settings import TIME_FORMS, Settings

SHOWN = 12


@click.command()
@click.argument("subject", metavar="DOMAIN|ASSET|list")
@click.option("--why", help="The reason; it is shown for every skipped table.")
@click.option("--until", help=f"If the hold still exists at this time, the person of --by is told: {TIME_FORMS}.")
@click.option("--incident", type=NUMBER, help="The incident that the hold belongs to.")
@by_option("The person who makes the hold.")
@click.option("--all", "every", is_flag=True, help="With `list`: also show holds that were released.")
@json_option
@click.pass_obj
def hold(
    settings: Settings,
    *,
    subject: str,
    why: str | None,
    until: str | None,
    incident: int | None,
    by: str,
    every: bool,
    as_json: bool,
) -> None:
    """Do not build the tables downstream of ASSET, or the tables of DOMAIN. `ops hold list` shows the holds."""
    from ops_project.catalog import load as load_catalog
    from ops_project.operations.incidents.decide.incident import Refused
    from ops_project.operations.incidents.holding import check_subject
    from ops_project.operations.incidents.holding import hold as make
    from ops_project.operations.incidents.holds import stopped
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall
    from ops_project.settings import SettingsError, parse_as_of

    ledger = open_ledger(settings)
    if subject == "list":
        _list(ledger.holds(every), as_json)
        return
    lineage, domains = recall(ledger), load_catalog(settings).domain_ids()
    try:
        check_subject(subject, lineage, domains)
    except Refused as error:
        raise click.UsageError(str(error)) from None
    if not why or not why.strip():
        raise click.UsageError("--why is needed: it explains to every reader why a table is not built")
    if incident is not None and ledger.incident(incident) is None:
        raise click.UsageError(f"there is no incident {incident}; `ops incidents list --all` shows them")
    now = settings.now()
    try:
        limit = parse_as_of(until) if until else None
    except SettingsError as error:
        raise click.UsageError(f"--until: {error}") from None
    if limit is not None and limit <= now:
        raise click.UsageError(f"--until {limit:%Y-%m-%d %H:%M} UTC has passed")
    found = make(ledger, subject, why, by, now, source="shell", until=limit, incident=incident)
    number, assets = found.number, sorted(stopped(found, lineage))

    def render() -> None:
        shown = ", ".join(assets[:SHOWN]) + (f" and {len(assets) - SHOWN} more" if len(assets) > SHOWN else "")
        console.print(
            f"Hold {number}: {counted(len(assets), 'table is', 'tables are')} not built: {shown or 'none'}",
            markup=False,
            soft_wrap=True,
        )
        console.print(f"`ops release {subject}` ends the hold and builds what was skipped.", markup=False)

    emit(as_json, {"number": number, "subject": subject, "assets": assets, "until": limit}, render)


def _list(found: list[Any], as_json: bool) -> None:
    rows = [
        {
            name: getattr(item, name)
            for name in ("number", "subject", "why", "made_by", "made_at", "until", "released_at")
        }
        for item in found
    ]

    def render() -> None:
        if not rows:
            console.print("Nothing is on hold.")
            return
        console.print(table(tuple(rows[0]), [list(row.values()) for row in rows]))

    emit(as_json, rows, render)


@click.command()
@click.argument("subject", metavar="DOMAIN|ASSET")
@by_option("The person who releases the hold.")
@click.option("--no-run", is_flag=True, help="Only release; the next run builds what was skipped.")
@json_option
@click.pass_obj
def release(settings: Settings, subject: str, by: str, no_run: bool, as_json: bool) -> None:
    """End the holds of DOMAIN or ASSET, and build what was skipped."""
    from ops_project.cli.run import Wanted, perform
    from ops_project.operations.incidents.decide.incident import Refused
    from ops_project.operations.incidents.holding import release as end
    from ops_project.operations.incidents.holds import stopped
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall

    ledger, now = open_ledger(settings), settings.now()
    try:
        ended = end(ledger, subject, by, now, source="shell")
    except Refused as error:
        raise click.ClickException(str(error)) from None
    lineage = recall(ledger)
    domains = sorted({lineage.get(asset).domain for item in ended for asset in stopped(item, lineage)} - {""})
    if no_run:
        data = {"released": [item.number for item in ended], "domains": domains}
        emit(as_json, data, lambda: console.print(f"Released {subject}; waiting: {', '.join(domains) or 'nothing'}."))
        return
    if not as_json:
        console.print(
            f"Released {subject}. The tables that were skipped are built now, from all files that have arrived.",
            markup=False,
            soft_wrap=True,
        )
    perform(settings, Wanted(domains=tuple(domains)), as_json)
