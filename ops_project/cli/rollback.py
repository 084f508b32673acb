"""`ops rollback`: returns from a bad deployment to an earlier version of the code. dbt's state and the tables that the
bad version built go back too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops_project.cli.output import console, emit, json_option, told
from ops_project.cli.person import by_option
from ops_project.counted import counted
from ops_project.json_file import read_object
from ops_project.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from ops_project.pipeline.recovery.clone import Clone
    from ops_project.pipeline.recovery.decide.rollback import Affected

REHEARSAL = ".rollback-"


@dataclass(frozen=True)
class Way:
    """What was rehearsed: how to return to the earlier version."""

    to: str
    back: str
    """The commit that was checked out before the rollback."""
    affected: Affected
    snapshot: str | None
    """The newest good snapshot that was made by the earlier version or by an even older one; None if no such snapshot
    is left.
    """
    restored: tuple[str, ...]
    """Affected tables that this snapshot holds."""
    rebuilt: tuple[str, ...]
    """Affected tables that the earlier version can build from nothing."""
    forbidden: tuple[str, ...]
    warnings: tuple[str, ...]


@click.command()
@click.argument("commit", metavar="COMMIT")
@click.option("--yes", is_flag=True, help="Do it. Without --yes the rollback is rehearsed, and nothing is changed.")
@by_option("The person who does this, for the audit log.")
@json_option
@click.pass_obj
def rollback(settings: Settings, commit: str, yes: bool, by: str, as_json: bool) -> None:
    """Go back to COMMIT, an earlier version of this installation.

    The rollback is rehearsed first: the earlier version is put into a separate folder and loaded there, and its dbt
    project is compared with the present one. With --yes, the rollback is carried out. The tables that the two versions
    build differently are restored from the newest good snapshot of the earlier version. The code and dbt's state become
    those of COMMIT, and the earlier version builds those tables again. Stop the daemon first, and start it again
    afterwards. If the command is killed, the same command finishes the rollback.
    """
    from ops_project.pipeline.recovery import deployment
    from ops_project.pipeline.recovery.clone import clone_of
    from ops_project.pipeline.recovery.decide.target import RestoreError

    try:
        clone = clone_of(PROJECT_ROOT)
        to = clone.resolve(commit)
        begun = _noted(settings)
        if begun is not None and begun["to"] == to and clone.head() == to:
            told(
                f"An interrupted rollback to {to[:10]} has changed the code already; the rollback continues from there."
            )
            _build(settings, begun["tables"], as_json)
            _conclude(settings)
            return
        with _rehearsed(settings, clone, to) as (way, folder):
            if not yes or way.forbidden:
                data = _data(way, False)
                emit(as_json, data, lambda: _show(way))
                if way.forbidden:
                    sys.exit(1)
                return
            for line in _lines(way):
                told(line)
            _restore(settings, way, by)
            deployment.keep_parse(folder / "dbt_project", DBT_PROJECT_DIR)
        _note(settings, {"to": to, "back": way.back, "tables": list(way.rebuilt)})
        _audit(settings, way, by)
        clone.check_out(to)
    except RestoreError as error:
        raise click.ClickException(str(error)) from None
    told(f"The code is {to[:10]} now; `git checkout {way.back}` returns to the version before.")
    _build(settings, list(way.rebuilt), as_json)
    _conclude(settings)


@contextmanager
def _rehearsed(settings: Settings, clone: Clone, to: str) -> Iterator[tuple[Way, Path]]:
    from ops_project.pipeline.recovery import deployment
    from ops_project.pipeline.recovery.decide.rollback import forbidden
    from ops_project.pipeline.recovery.decide.target import RestoreError
    from ops_project.pipeline.warehouse import snapshots

    head = clone.head()
    if head == to:
        raise RestoreError(f"{to[:10]} is checked out already")
    folder = settings.home / f"{REHEARSAL}{to[:10]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        told(f"rehearsing {to[:10]} in {folder}")
        clone.put_into(to, folder)
        said = deployment.loads(folder, folder / ".home")
        found = deployment.compare(folder / "dbt_project", DBT_PROJECT_DIR)
        ours = [
            item
            for item in snapshots.existing(settings)
            if item.good and clone.is_ancestor(str(item.manifest.get("commit") or "-"), to)
        ]
        newest = ours[-1] if ours else None
        warnings = []
        if newest is None:
            warnings.append(
                "no good snapshot of that version or an earlier one is left: the tables are only built again"
            )
        if clone.differs(to, head, deployment.LOCK):
            warnings.append(f"{deployment.LOCK} differs: install it after the rollback (`make setup`)")
        if found.only_now:
            warnings.append(
                f"the earlier version does not build these tables, so they stay: {', '.join(found.only_now)}"
            )
        migrations = clone.files(head, deployment.MIGRATIONS) - clone.files(to, deployment.MIGRATIONS)
        why_not = forbidden(
            dirty=clone.dirty(), is_ancestor=clone.is_ancestor(to, head), migrations=migrations, loads=said
        )
        there = set(newest.tables) if newest is not None else set()
        restored = tuple(name for name in (*found.changed, *found.only_then) if name in there)
        yield (
            Way(
                to=to,
                back=clone.named_head(),
                affected=found,
                snapshot=newest.id if newest is not None else None,
                restored=tuple(sorted(restored)),
                rebuilt=tuple(deployment.rebuildable(folder / "dbt_project", found.rebuilt)),
                forbidden=tuple(why_not),
                warnings=tuple(warnings),
            ),
            folder,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restore(settings: Settings, way: Way, by: str) -> None:
    """Restore the tables from the earlier version's snapshot. So readers see them even before the run builds them
    again.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.recovery import restore as recovery
    from ops_project.process import locks
    from ops_project.process.code_version import commit

    if way.snapshot is None or not way.restored:
        return
    asked = f"rollback to {way.to}"
    context = recovery.Context(
        settings=settings,
        platform=load_catalog(settings).platform,
        by=by,
        now=settings.now(),
        commit=commit(),
        asked=asked,
    )
    with locks.hold(
        settings.lock, owner="ops rollback", now=settings.now(), on_wait=lambda holder: told(f"waiting for {holder}")
    ):
        finished = recovery.finish(context)
        if finished is None or finished.asked != asked:
            source = recovery.snapshot_source(settings, way.snapshot)
            recovery.apply(context, recovery.Wanted(source, way.restored, way.affected.downstream))


def _build(settings: Settings, tables: list[str], as_json: bool) -> None:
    """Call `ops run` in another process. This process cannot run it, because it has loaded the modules of the bad
    version.
    """
    words = [sys.executable, "-m", "ops_project.cli", *settings.options(), "run"]
    for name in tables:
        words += ["--rebuild", name]
    done = subprocess.run([*words, *(["--json"] if as_json else [])], cwd=PROJECT_ROOT, check=False)
    if done.returncode:
        told("The earlier version is in place, and its run has failed: the same command runs it again.")
        sys.exit(done.returncode)


def _conclude(settings: Settings) -> None:
    from ops_project.pipeline.recovery.restore import conclude

    _note(settings, None)
    conclude(settings)


def _audit(settings: Settings, way: Way, by: str) -> None:
    from ops_project.cli.faults import in_words, say
    from ops_project.operations.ledger import open_ledger

    try:
        open_ledger(settings).audit(
            settings.now(),
            who=by,
            source="shell",
            action="rollback",
            subject=way.to,
            outcome="done",
            detail=f"from {way.back}, snapshot {way.snapshot}",
        )
    except Exception as error:
        say(f"the rollback could not be written into the audit log: {in_words(error, settings)}")


def _noted(settings: Settings) -> dict[str, Any] | None:
    try:
        return read_object(_file(settings))
    except (OSError, ValueError):
        return None


def _note(settings: Settings, begun: dict[str, Any] | None) -> None:
    from ops_project.pipeline.warehouse import files

    if begun is None:
        _file(settings).unlink(missing_ok=True)
        return
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    files.write_json(_file(settings), begun)


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "rollback.json"


def _data(way: Way, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "to": way.to,
        "back": way.back,
        "changed": way.affected.changed,
        "only_now": way.affected.only_now,
        "only_then": way.affected.only_then,
        "downstream": way.affected.downstream,
        "snapshot": way.snapshot,
        "restored": way.restored,
        "rebuilt": way.rebuilt,
        "forbidden": way.forbidden,
        "warnings": way.warnings,
    }


def _lines(way: Way) -> list[str]:
    found = way.affected
    lines = [
        f"from {way.back} back to {way.to[:10]}: {counted(len(found.rebuilt), 'table is', 'tables are')} built "
        "differently"
    ]
    if way.rebuilt:
        lines.append(f"built anew: {', '.join(way.rebuilt)}")
    if way.restored:
        lines.append(f"restored first, from snapshot {way.snapshot}: {', '.join(way.restored)}")
    if found.downstream:
        lines.append(f"downstream of them: {', '.join(found.downstream)}")
    return [*lines, *(f"note: {words}" for words in way.warnings)]


def _show(way: Way) -> None:
    for line in _lines(way):
        console.print(line, soft_wrap=True)
    for words in way.forbidden:
        console.print(f"Not possible: {words}.", soft_wrap=True)
    if not way.forbidden:
        console.print("It was rehearsed, and nothing was changed. Stop the daemon, then add --yes to do it.")
