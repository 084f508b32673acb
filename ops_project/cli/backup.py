"""`ops backup`: takes, proves, lists and restores backups. A backup is a copy of the home on another disk or in a
bucket.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.faults import in_words, say
from ops_project.cli.output import console, emit, json_option, table, told
from ops_project.cli.person import by_option
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.recovery.backup.shelf import Shelf
    from ops_project.pipeline.recovery.databases.outside import Outside
    from ops_project.pipeline.recovery.decide.backups import Backup, Proof

where_option = click.option(
    "--at",
    "destination",
    metavar="FOLDER|s3://BUCKET/PREFIX",
    help="Where the backups are. Default: backups.destination in platform.yaml.",
)
by_person = by_option("The person who does this.")
by_person_or_job = by_option("The person who does this.", unattended=True)


@click.group()
def backup() -> None:
    """Take, prove, list and restore backups of the home."""


@backup.command("create")
@where_option
@click.option(
    "--no-verify", is_flag=True, help="Do not prove the backup now. A backup does not count until it is proved."
)
@by_person_or_job
@json_option
@click.pass_obj
def create_backup(settings: Settings, destination: str | None, no_verify: bool, by: str, as_json: bool) -> None:
    """Take a backup, and prove it.

    While the writer's lock is held, the newest snapshot and the rest of the home are copied to a separate folder. The
    copy is sent after the lock is released. Objects that the destination already has are not sent again. The proof
    restores the backup into an empty home, opens it, and compares every table's checksum. Ends with 0 only if the
    backup is proved, or if --no-verify is given.
    """
    from ops_project.pipeline.recovery.backup.create import Taker
    from ops_project.pipeline.recovery.backup.routine import routine

    with open_shelf(settings, destination, "ops backup create") as (shelf, where):
        catalog = _catalog(settings)
        taker = Taker(
            settings=settings,
            platform=catalog.platform,
            by=by,
            now=settings.now(),
            commit=_commit(),
            tell=told,
            outside=outside_of(settings),
        )
        manifest, proof = routine(taker, shelf, where, verify=not no_verify)
    _audit(
        settings,
        by=by,
        action="backup",
        subject=manifest.id,
        outcome=proof.outcome.value if proof else "not proved",
        detail=shelf.store.shown,
    )
    data = _described(manifest.summary(), proof) | {"store": shelf.store.shown}
    emit(as_json, data, lambda: _tell_backup(data))
    if proof is not None and proof.outcome.value != "proved":
        sys.exit(1)


@backup.command("list")
@where_option
@json_option
@click.pass_obj
def list_backups(settings: Settings, destination: str | None, as_json: bool) -> None:
    """List the backups, each with the result of its last proof."""
    with open_shelf(settings, destination, None) as (shelf, _):
        proofs = shelf.proofs()
        data = [_described(item, proofs.get(item.id)) for item in shelf.backups()]
    emit(as_json, data, lambda: _show(data, shelf.store.shown))


@backup.command("verify")
@click.argument("wanted", metavar="[BACKUP]", required=False)
@where_option
@json_option
@click.pass_obj
def verify_backup(settings: Settings, wanted: str | None, destination: str | None, as_json: bool) -> None:
    """Prove BACKUP (default: the newest): restore it into an empty home, open the home, and compare every table's
    checksum.

    Ends with 0 only if the backup is proved. The outcome is stored with the backup.
    """
    from ops_project.pipeline.recovery.backup import proof as proofs
    from ops_project.pipeline.recovery.backup import shelf as shelves
    from ops_project.pipeline.recovery.decide.backups import choose

    with open_shelf(settings, destination, "ops backup verify") as (shelf, where):
        manifest = shelf.manifest(choose(wanted or "newest", shelf.backups(), shelf.proofs()).id)
        found = proofs.prove(settings, shelf, manifest, now=settings.now(), tell=told, outside=outside_of(settings))
        shelves.remember(settings, where, shelf, settings.now())
    data = _described(manifest.summary(), found) | {"store": shelf.store.shown}
    emit(as_json, data, lambda: _tell_backup(data))
    if found.outcome.value != "proved":
        sys.exit(1)


@backup.command("restore")
@click.argument("wanted", metavar="[BACKUP]", required=False)
@where_option
@click.option("--yes", is_flag=True, help="Do it. Without --yes the plan is shown, and nothing is changed.")
@by_person
@json_option
@click.pass_obj
def restore_backup(
    settings: Settings, *, wanted: str | None, destination: str | None, yes: bool, by: str, as_json: bool
) -> None:
    """Build the home again from BACKUP (default: the newest proved one; `good`: the newest proved one before which
    nothing had failed).

    First the backup is fetched and checked. Then each part of the home is put in its place. The earlier content is kept
    in a folder of the home. Stop the daemon first. If the command is killed, the same command finishes the restore.
    """
    from ops_project.pipeline.recovery.backup.rebuild import into_home
    from ops_project.pipeline.recovery.decide.backups import choose
    from ops_project.process import locks

    before = None
    with open_shelf(settings, destination, "ops backup restore") as (shelf, _):
        proofs = shelf.proofs()
        chosen = choose(wanted, shelf.backups(), proofs)
        manifest = shelf.manifest(chosen.id)
        if yes:
            with locks.hold(
                settings.lock,
                owner="ops backup restore",
                now=settings.now(),
                on_wait=lambda holder: told(f"waiting for {holder}"),
            ):
                before = into_home(settings, shelf, manifest, told, lambda home: outside_of(settings, home))
    if yes:
        _audit(settings, by=by, action="backup restore", subject=manifest.id, outcome="done", detail=shelf.store.shown)
    data = _described(chosen, proofs.get(chosen.id)) | {
        "store": shelf.store.shown,
        "applied": yes,
        "home": str(settings.home),
        "kept_before": str(before) if before else None,
        "lost_seconds": max(0.0, (settings.now() - chosen.at).total_seconds()),
    }
    emit(as_json, data, lambda: _tell_restored(data))


@contextmanager
def open_shelf(settings: Settings, destination: str | None, owner: str | None) -> Iterator[tuple[Shelf, str]]:
    """Open the backups at `destination`; by default at the place that platform.yaml names. If `owner` is given, no
    other process can change the backups until the block ends. A RestoreError that is raised here or in the block
    becomes a ClickException.
    """
    from ops_project.pipeline.recovery.backup.create import alone
    from ops_project.pipeline.recovery.backup.shelf import Shelf
    from ops_project.pipeline.recovery.decide.target import RestoreError
    from ops_project.pipeline.recovery.stores import open_store

    backups = _catalog(settings).platform.backups
    where = destination or backups.destination
    if where is None:
        raise click.UsageError(
            "no destination for backups is configured: write backups.destination in platform.yaml, or give --at FOLDER"
        )
    try:
        shelf = Shelf(open_store(where, backups.endpoint, backups.region))
        if owner is None:
            yield shelf, where
            return
        with alone(settings, owner, settings.now(), told):
            yield shelf, where
    except RestoreError as error:
        raise click.ClickException(str(error)) from None


def outside_of(settings: Settings, home: Path | None = None) -> Outside:
    """The ledger, Dagster's storage and the model registry, as far as they lie outside the home's folder. `home`: a
    folder with a copy of the home's files. If it is given, it is read in place of the home.
    """
    from ops_project.defs.operations.backup_outside import outside

    return outside(settings, _catalog(settings).platform, home)


def _catalog(settings: Settings) -> Any:
    from ops_project.catalog import load

    return load(settings)


def _commit() -> str:
    from ops_project.process.code_version import commit

    return commit()


def _audit(settings: Settings, *, by: str, action: str, subject: str, outcome: str, detail: str) -> None:
    from ops_project.operations.ledger import open_ledger

    try:
        open_ledger(settings).audit(
            settings.now(), who=by, source="shell", action=action, subject=subject, outcome=outcome, detail=detail
        )
    except Exception as error:
        say(f"the {action} could not be recorded in the audit log: {in_words(error, settings)}")


def _described(item: Backup, proof: Proof | None) -> dict[str, Any]:
    return {
        "backup": item.id,
        "at": item.at,
        "as_of": item.as_of,
        "files": item.files,
        "bytes": item.size_bytes,
        "new_bytes": item.new_bytes,
        "good_run": item.good,
        "left_out": item.left_out,
        "proof": None if proof is None else asdict(proof) | {"outcome": proof.outcome.value},
    }


def _show(data: list[dict[str, Any]], where: str) -> None:
    if not data:
        console.print(f"No backup in {where}. `ops backup create` makes one.", soft_wrap=True)
        return
    columns = ("backup", "taken", "data as of", "files", "MB", "new MB", "proof", "why")
    rows = [
        (
            item["backup"],
            item["at"],
            item["as_of"],
            item["files"],
            item["bytes"] / 1e6,
            item["new_bytes"] / 1e6,
            item["proof"]["outcome"] if item["proof"] else "not proved",
            item["proof"]["words"] if item["proof"] else None,
        )
        for item in data
    ]
    console.print(table(columns, rows, title=where))


def _tell_backup(data: dict[str, Any]) -> None:
    console.print(
        f"Backup {data['backup']} in {data['store']}: {counted(data['files'], 'file')}, "
        f"{data['bytes'] / 1e6:,.1f} MB, of which "
        f"{data['new_bytes'] / 1e6:,.1f} MB were new.",
        soft_wrap=True,
    )
    for words in data["left_out"]:
        console.print(f"Not in it: {words}.", soft_wrap=True)
    proof = data["proof"]
    if proof is None:
        console.print(f"It is not proved and does not count yet: `ops backup verify {data['backup']}`.")
        return
    console.print(f"{proof['outcome'].capitalize()} in {proof['seconds']:,.1f} s: {proof['words']}.", soft_wrap=True)


def _tell_restored(data: dict[str, Any]) -> None:
    proof = data["proof"]["outcome"] if data["proof"] else "not proved"
    console.print(
        f"Backup {data['backup']} ({proof}) of {data['at']:%Y-%m-%d %H:%M} UTC, {counted(data['files'], 'file')}, "
        f"{data['bytes'] / 1e6:,.1f} MB, for {data['home']}.",
        soft_wrap=True,
    )
    for words in data["left_out"]:
        console.print(f"Not in it: {words}.", soft_wrap=True)
    if not data["applied"]:
        console.print("Nothing was changed. Stop the daemon, then add --yes to do it.")
        return
    console.print("Done: the home is as it was then. `ops run` loads what has arrived since.")
    if data["kept_before"]:
        console.print(f"The earlier content is kept in {data['kept_before']}.", soft_wrap=True)
