"""`ops simulate`: write the files of the source systems, and break them on request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.numbers import DAYS, NUMBER
from ops_project.cli.output import console, emit, json_option, progress, styled, table
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.simulator.simulation import Result

POSTGRES_URL = "OPS_INVESTOR_POSTGRES_URL"
EPILOG = """A fault is ID, ID:FEED, ID@DATE or ID:FEED@DATE. Without FEED, the fault breaks the feed that --list-faults
names. Without DATE, it breaks the last day that is delivered. A fault for any feed also breaks your own files:

\b
  ops simulate --fault truncated:orders
      simulate, and cut the last day's orders
  ops simulate --days 1 --fault missing:mart_offers
      the last day, without its offers
  ops simulate --inbound-only --fault late:my_feed
      deliver nothing; break what lies in inbound

What a fault did is appended to truth.json in the home, which only tests read."""


@click.command(epilog=EPILOG)
@click.option("--domain", "domains", multiple=True, metavar="D", help="Only this domain; repeatable.")
@click.option("--feed", "feeds", multiple=True, metavar="F", help="Write the files of this feed only; repeatable.")
@click.option(
    "--days",
    type=DAYS,
    help="The number of business dates. Default: 30 at first, then all since the last delivered one.",
)
@click.option(
    "--end", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Last business date. Default: yesterday."
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, max=10**6, min_open=True),
    help="Size of the simulated business: 1 is about 600 orders a day. Default: the home's, or else 1.",
)
@click.option("--seed", type=NUMBER, help="Seed of the simulation. Default: the home's, or else 42.")
@click.option("--fault", "faults", multiple=True, metavar="FAULT", help="Inject a fault, see below; repeatable.")
@click.option(
    "--inbound-only", is_flag=True, help="Deliver nothing; put the faults into the files that wait in inbound."
)
@click.option(
    "--postgres",
    is_flag=True,
    help=f"Write the investor transactions into the database of {POSTGRES_URL}, not into a file.",
)
@click.option("--list-faults", is_flag=True, help="List every fault: what it does and what must be found.")
@json_option
@click.pass_obj
def simulate(
    settings: Settings,
    *,
    domains: tuple[str, ...],
    feeds: tuple[str, ...],
    days: int | None,
    end: datetime | None,
    scale: float | None,
    seed: int | None,
    faults: tuple[str, ...],
    inbound_only: bool,
    postgres: bool,
    list_faults: bool,
    as_json: bool,
) -> None:
    """Write inbound files as the source systems would; inject faults.

    The same seed gives the same bytes. The files of a day do not depend on which other days the call writes. The next
    call continues after the last delivered day.
    """
    from ops_project import catalog as catalogs
    from ops_project.simulator.faults.registry import listing
    from ops_project.simulator.faults.request import FaultError, Request
    from ops_project.simulator.plans import Asked, SimulationError
    from ops_project.simulator.simulation import simulate as deliver

    catalog = catalogs.load(settings)
    if list_faults:
        rows = listing(catalog)
        emit(as_json, rows, lambda: _print_faults(rows))
        return
    url = settings.secret(POSTGRES_URL) if postgres else None
    if postgres and url is None:
        raise click.UsageError(f"--postgres needs the database's URL in {POSTGRES_URL}")
    try:
        asked = Asked(
            domains=domains,
            feeds=feeds,
            days=days,
            end=end.date() if end else None,
            scale=scale,
            seed=seed,
            faults=[Request.parse(text) for text in faults],
            inbound_only=inbound_only,
            postgres=url,
        )
        with progress() as bar:
            tasks: dict[str, Any] = {}

            def advance(domain: str, day: object, done: int, total: int) -> None:
                if domain not in tasks:
                    tasks[domain] = bar.add_task(domain, total=total)
                bar.update(tasks[domain], completed=done, description=f"{domain} {day}")

            result = deliver(settings, catalog, settings.now(), asked, advance)
    except (SimulationError, FaultError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    emit(as_json, {"delivered": result.reports, "faults": result.faults}, lambda: _print(settings, result))


def _print(settings: Settings, result: Result) -> None:
    if result.reports:
        rows = [
            [r.domain, r.start, r.end, r.files, sum(r.rows.values()), r.bytes / 1e6]
            for r in result.reports
            if r.start is not None
        ]
        if rows:
            console.print(table(["domain", "from", "to", "files", "records", "MB"], rows))
        if idle := [r.domain for r in result.reports if r.start is None]:
            console.print(f"Nothing new from {', '.join(idle)}: every day up to yesterday has been delivered.")
        console.print(f"Files lie in {settings.inbound}")
    for done in result.faults:
        expected = done["finding"] or "no finding"
        console.print(f"Fault {done['request']}: {done['does']} – expected: {expected}", style="yellow")


def _print_faults(rows: list[dict[str, Any]]) -> None:
    """Two lines for each fault, because a table of six columns is too wide for a terminal."""
    width = max(len(row["id"]) for row in rows)
    for row in rows:
        feed = f"any feed, here {row['feed']}" if row["any_feed"] else row["feed"]
        console.print(
            styled(
                ("bold", f"{row['id']:<{width}}"),
                f"  {row['does']}\n",
                ("dim", f"{'':<{width}}  breaks {feed}; must be found: {row['finding'] or 'nothing'}, "),
                ("dim", f"root {row['asset']}"),
            ),
            soft_wrap=True,
        )
