"""`ops replay`: sends rows in quarantine through landing again, under the present contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.output import console, emit, json_option, status, table, told
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.catalog import Catalog
    from ops_project.pipeline.landing import Asked, Refused


@click.command()
@click.option("--feed", "feeds", multiple=True, metavar="FEED", help="Only this feed; may be given several times.")
@click.option("--reason", default="", metavar="TEXT", help="Only rows whose column or reason contains this text.")
@click.option("--batch", "batches", multiple=True, metavar="ID", help="Only this batch; may be given several times.")
@click.option("--parked", is_flag=True, help="Also rows that were refused three times and are parked.")
@click.option("--dry-run", is_flag=True, help="Only list the rows that would be tried again.")
@json_option
@click.pass_obj
def replay(
    settings: Settings,
    *,
    feeds: tuple[str, ...],
    reason: str,
    batches: tuple[str, ...],
    parked: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Try rows in quarantine again under the present contract, and build what depends on them.

    For each row, its whole archived file is read again, as `ops feed replay` does. The rows that pass are loaded, and
    leave quarantine in the same transaction. If no further row of a file passes, the file is left as it is. Every
    attempt is counted: a row that was refused three times is parked, and an alert reports it. `ops feed replay FEED` is
    for another case: files that were loaded under an earlier contract, whether or not rows were refused.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.cli.run import UNRECORDED, Wanted, perform
    from ops_project.pipeline.landing import Asked, ReplayOrder, without_values

    catalog = load_catalog(settings)
    if unknown := [name for name in feeds if name not in catalog.feeds]:
        raise click.UsageError(f"unknown feed {', '.join(unknown)}; valid: {', '.join(sorted(catalog.feeds))}")
    unrecorded: list[str] = []
    groups, concerned = _waiting(settings, catalog, Asked(feeds, batches, reason, parked))
    if not dry_run and not groups and settings.warehouse.is_file():
        if domains := _cut_off(settings, {catalog.feeds[name].domain for name in concerned}):
            told("The last replay ended before it had published; the tables that depend on its rows are built now.")
            perform(settings, Wanted(domains=domains), as_json)
            return
        unrecorded = _catch_up(settings, catalog)
    if absent := sorted(set(batches) - {group.batch_id for group in groups}):
        words = (
            f"no row to try again in batch {', '.join(absent)}: `ops replay --dry-run --parked` lists every batch with "
            "refused rows"
        )
        if not groups:
            raise click.ClickException(words)
        told(words)
    if dry_run or not groups:
        shown = without_values(groups)
        emit(as_json, shown, lambda: _show(shown))
        if unrecorded:
            raise SystemExit(UNRECORDED)
        return
    chosen: dict[str, list[str]] = {}
    for group in groups:
        if group.batch_id not in chosen.setdefault(group.feed, []):
            chosen[group.feed].append(group.batch_id)
    orders = tuple(ReplayOrder(feed, batches=tuple(named), refused=True) for feed, named in chosen.items())
    domains = tuple(dict.fromkeys(catalog.feeds[feed].domain for feed in chosen))
    perform(settings, Wanted(domains=domains, replays=orders), as_json)


def _cut_off(settings: Settings, asked: Collection[str]) -> tuple[str, ...]:
    """The domains among `asked` whose newest replay was interrupted before it had published its tables."""
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.dagster_bridge.runs import mark_dead_runs, open_instance
    from ops_project.defs.shared.rerun import cut_off_replays

    dagster_home.ensure(settings)
    with open_instance(settings) as instance:
        mark_dead_runs(instance, settings.now())
        return tuple(domain for domain in cut_off_replays(settings, instance) if domain in asked)


def _catch_up(settings: Settings, catalog: Catalog) -> list[str]:
    """Send the alerts that a replay could not send because it was killed just before its end. Returns what could not be
    recorded.
    """
    from ops_project.cli.run_alerts import catch_up
    from ops_project.dagster_bridge import home as dagster_home
    from ops_project.dagster_bridge.runs import open_instance

    dagster_home.ensure(settings)
    with open_instance(settings) as instance, status("alerts") as spinner:
        return catch_up(settings, catalog, instance, spinner)


def _waiting(settings: Settings, catalog: Catalog, asked: Asked) -> tuple[list[Refused], set[str]]:
    """The rows that `asked` selects, and the feeds concerned. If batches were given, the feeds are those that loaded
    one of the batches. This process holds the writer's lock while it reads.
    """
    import duckdb

    from ops_project.pipeline.landing import chosen_refused, ensure_tables, feeds_of_batches, refused_groups
    from ops_project.process import locks

    feeds = {name: feed for name, feed in catalog.feeds.items() if not asked.feeds or name in asked.feeds}
    if not settings.warehouse.is_file():
        return [], set()
    with (
        locks.hold(settings.lock, owner="ops replay", now=settings.now()),
        duckdb.connect(str(settings.warehouse)) as connection,
    ):
        ensure_tables(connection, catalog.feeds.values())
        found = [group for feed in feeds.values() for group in refused_groups(connection, feed, settings.archive)]
        meant = feeds.keys() & feeds_of_batches(connection, asked.batches) if asked.batches else set(feeds)
    return chosen_refused(asked, found), meant


def _show(groups: Sequence[Refused]) -> None:
    if not groups:
        console.print("No refused row is to be tried again. `--parked` also takes rows that are parked.")
        return
    columns = ("feed", "batch", "column", "reason", "rows", "tried", "parked")
    rows: list[tuple[Any, ...]] = [
        (group.feed, group.batch_id, group.column, group.reason, group.rows, group.attempts, group.parked)
        for group in groups
    ]
    console.print(table(columns, rows))
