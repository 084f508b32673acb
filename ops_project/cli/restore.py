"""`ops restore`: restores tables or the whole warehouse from a snapshot. It shows a plan, and `--yes` carries
it out.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.faults import in_words, say
from ops_project.cli.output import console, emit, json_option, table, told
from ops_project.cli.person import by_option
from ops_project.counted import counted
from ops_project.lineage import Lineage
from ops_project.moments import to_minute
from ops_project.settings import TIME_FORMS, Settings

if TYPE_CHECKING:
    from ops_project.pipeline.recovery.decide.plan import Held, RestorePlan
    from ops_project.pipeline.recovery.journal import Entry
    from ops_project.pipeline.recovery.restore import Context, Wanted

SHOWN = 12


@click.command()
@click.argument("names", metavar="[TABLE]...", nargs=-1)
@click.option(
    "--all", "whole", is_flag=True, help="Restore the whole warehouse, even if its file is missing or damaged."
)
@click.option(
    "--to",
    metavar="SNAPSHOT|TIME",
    help="A snapshot's id or number, `newest`, `good` (the newest before which nothing had failed), or a time, "
    f"which means the last snapshot that shows that time or an earlier one: {TIME_FORMS}.",
)
@click.option("--undo", is_flag=True, help="Go back to the content before the last restore.")
@click.option("--yes", is_flag=True, help="Do it. Without --yes the plan is shown, and nothing is changed.")
@click.option("--rebuild", is_flag=True, help="Then build the tables downstream of the restored ones again.")
@by_option("The person who does this, for the audit log.")
@json_option
@click.pass_obj
def restore(
    settings: Settings,
    *,
    names: tuple[str, ...],
    whole: bool,
    to: str | None,
    undo: bool,
    yes: bool,
    rebuild: bool,
    by: str,
    as_json: bool,
) -> None:
    """Restore TABLE (`silver.fact_orders`), or all tables, from a snapshot.

    Rows and schema are first written beside the present tables, then compared with the snapshot by checksum, and then
    swapped in one step. Tables downstream are marked as out of date, and --rebuild builds them again. --undo reverts
    the last restore. If the command is killed, the same command finishes the restore.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.recovery import restore as recovery
    from ops_project.pipeline.recovery.decide.target import RestoreError
    from ops_project.process import locks
    from ops_project.process.code_version import commit

    _refuse(names, whole, to, undo, rebuild and not yes)
    catalog, now = load_catalog(settings), settings.now()
    asked = "undo" if undo else f"{' '.join(names) or 'all'} to {to}"
    context = recovery.Context(
        settings=settings, platform=catalog.platform, by=by, now=now, commit=commit(), asked=asked
    )
    try:
        with locks.hold(
            settings.lock, owner="ops restore", now=now, on_wait=lambda holder: told(f"waiting for {holder}")
        ):
            finished = recovery.finish(context) if yes else None
            if finished is not None:
                told(f"An earlier restore of {finished.source} was interrupted; it is finished now.")
                _audit(context, finished)
            if finished is not None and finished.asked == asked:
                _end(settings, finished, rebuild, as_json)
                recovery.conclude(settings)
                return
            wanted = _undone(settings) if undo else _wanted(settings, names, to or "")
            plan, entry = recovery.plan(settings, wanted), None
            if yes:
                for domain in catalog.domain_ids():
                    _forget(settings, domain)
                entry = recovery.apply(context, wanted)
                _audit(context, entry)
    except RestoreError as error:
        raise click.ClickException(str(error)) from None
    data = _data(plan, entry)
    if not (as_json and rebuild):
        emit(as_json, data, lambda: _render(plan, entry, rebuild))
    if rebuild and entry is not None:
        _rebuild(settings, entry, as_json)
    if entry is not None:
        recovery.conclude(settings)


def _end(settings: Settings, entry: Entry, rebuild: bool, as_json: bool) -> None:
    """Show an earlier restore that was interrupted and has just been finished. It is not applied a second time: a
    second undo would bring back what the first one removed, and the snapshot may have been deleted since.
    """
    if rebuild:
        _rebuild(settings, entry, as_json)
        return
    data = {"applied": True, "restore": entry.id, "source": entry.source, "tables": entry.tables}
    emit(as_json, data, lambda: console.print(f"Done: restore {entry.id} of {entry.source}."))


def _refuse(names: tuple[str, ...], whole: bool, to: str | None, undo: bool, rebuild_alone: bool) -> None:
    if undo and (names or whole or to):
        raise click.UsageError("--undo reverts the whole last restore: leave out tables, --all and --to")
    if not undo and bool(names) == whole:
        raise click.UsageError("name the tables to restore, or --all for the whole warehouse")
    if rebuild_alone:
        raise click.UsageError("--rebuild comes after the restore: add --yes")


def _wanted(settings: Settings, names: tuple[str, ...], to: str) -> Wanted:
    from ops_project.pipeline.recovery import restore as recovery
    from ops_project.pipeline.recovery.decide.target import choose, qualify

    found = recovery.candidates(settings)
    chosen = choose(to, _moment(to), found)
    tables = qualify(names, chosen, found)
    return recovery.Wanted(recovery.snapshot_source(settings, chosen.id), tables, _downstream(settings, tables))


def _undone(settings: Settings) -> Wanted:
    from ops_project.pipeline.recovery import restore as recovery
    from ops_project.pipeline.recovery.decide.target import RestoreError

    source, entry = recovery.undo_source(settings)
    since = recovery.written_since(settings, entry)
    if since and not entry.tables:
        raise RestoreError(
            "files were loaded since the restore, and undoing it would lose them: choose a snapshot instead, with "
            "`ops restore --all --to SNAPSHOT`"
        )
    if since:
        told(f"These tables were written since the restore, and the undo removes that too: {', '.join(since)}")
    return recovery.Wanted(source, entry.tables, _downstream(settings, entry.tables))


def _moment(to: str) -> datetime | None:
    from ops_project.settings import SettingsError, parse_as_of

    try:
        return parse_as_of(to)
    except SettingsError:
        return None


def _downstream(settings: Settings, tables: tuple[str, ...]) -> tuple[str, ...]:
    from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
    from ops_project.pipeline.recovery.decide.plan import children_of, downstream

    return downstream(tables, _lineage(settings), children_of(load_manifest().json)) if tables else ()


def _lineage(settings: Settings) -> Lineage:
    """The asset graph of the last run. If the ledger cannot be read, the graph is empty, and the caller uses dbt's own
    graph.
    """
    from ops_project.failures import Unusable
    from ops_project.operations.ledger import open_ledger
    from ops_project.operations.ledger.lineage_document import recall

    try:
        return recall(open_ledger(settings))
    except Unusable:
        return Lineage()


def _forget(settings: Settings, domain: str) -> None:
    from ops_project.defs.shared import unchanged

    unchanged.forget(settings, domain)


def _audit(context: Context, entry: Entry) -> None:
    from ops_project.operations.ledger import open_ledger

    try:
        open_ledger(context.settings).audit(
            context.now,
            who=context.by,
            source="shell",
            action="restore",
            subject=", ".join(entry.tables) or "the whole warehouse",
            outcome="done",
            detail=f"from {entry.source}, restore {entry.id}",
        )
    except Exception as error:
        say(f"the restore is done, but it could not be written into the audit log: {in_words(error, context.settings)}")


def _rebuild(settings: Settings, entry: Entry, as_json: bool) -> None:
    from ops_project.cli.run import Wanted as Run
    from ops_project.cli.run import perform
    from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
    from ops_project.pipeline.dbt_engine.rebuilds import RebuildError, model_of

    manifest, models = load_manifest().json, []
    for name in entry.downstream:
        try:
            model_of(manifest, name)
            models.append(name)
        except RebuildError:
            # dbt does not build this table, or cannot build it from nothing. The run below builds it in its own way.
            continue
    perform(settings, Run(rebuild_tables=tuple(models)), as_json)


def _data(plan: RestorePlan, entry: Entry | None) -> dict[str, Any]:
    return {
        "applied": entry is not None,
        "restore": entry.id if entry else None,
        "source": plan.source,
        "as_of": plan.as_of,
        "tables": [
            {"table": item.table, "what": item.words, "now": _shown(item.now), "then": _shown(item.then)}
            for item in plan.changes
        ],
        "out_of_date": plan.downstream,
        "lost_batches": plan.lost_batches,
        "warnings": plan.warnings,
        "nothing_to_do": plan.nothing_to_do,
    }


def _shown(held: Held | None) -> dict[str, Any] | None:
    return None if held is None else {"rows": held.rows, "checksum": held.checksum}


def _render(plan: RestorePlan, entry: Entry | None, rebuild: bool) -> None:
    console.print(f"From {plan.source}, as of {to_minute(plan.as_of)}:", soft_wrap=True)
    rows = [
        (
            item.table,
            item.words,
            item.now and item.now.rows,
            item.then and item.then.rows,
            item.then and item.then.checksum,
        )
        for item in plan.changes
        if not plan.whole or item.now != item.then
    ]
    if rows:
        console.print(table(("table", "what happens", "rows now", "rows then", "checksum then"), rows))
    if plan.whole and len(rows) < len(plan.changes):
        console.print(f"{counted(len(plan.changes) - len(rows), 'table is', 'tables are')} the same already.")
    for words in plan.warnings:
        console.print(words, soft_wrap=True)
    if plan.lost_batches:
        console.print(
            f"Batches loaded since, which the restored tables lack: {_some(plan.lost_batches)}. `ops feed replay FEED "
            "--batch BATCH` reads one again; after --all, put the file from archive/ into inbound/ again.",
            soft_wrap=True,
        )
    if entry is None and plan.nothing_to_do:
        console.print("There is nothing to do: what would be restored is in the warehouse already.")
        return
    if plan.downstream:
        console.print(f"Out of date afterwards: {_some(plan.downstream)}.", soft_wrap=True)
    if entry is None:
        console.print("Nothing was changed. Add --yes to do it.")
        return
    way_back = " `ops restore --undo --yes` takes it back." if plan.undoable else ""
    console.print(f"Done: restore {entry.id}.{way_back}")
    if plan.downstream and rebuild:
        console.print("What is downstream is built again now.")
    elif plan.downstream:
        console.print(
            "To build what is downstream again: the same command with --rebuild, or `ops run --rebuild TABLE`."
        )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
