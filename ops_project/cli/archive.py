"""`ops archive`: compares archived files with the hashes that landing wrote into its journal."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from ops_project.cli.faults import in_words, say
from ops_project.cli.output import console, emit, errors, json_option, table
from ops_project.counted import counted
from ops_project.moments import to_minute
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.recovery.archive_check import Checked


@click.group()
def archive() -> None:
    """Compare archived files with their hashes."""


@archive.command("verify")
@click.option("--feed", "name", metavar="FEED", help="Only the files of this feed.")
@click.option(
    "--share", is_flag=True, help="Only tonight's share, as the schedule does; nothing if that was compared already."
)
@json_option
@click.pass_obj
def verify_archive(settings: Settings, name: str | None, share: bool, as_json: bool) -> None:
    """Compare every archived file with its hash in the journal of the newest snapshot.

    A file that was altered, is missing or cannot be read opens the alert archive_damaged. The alert closes when a later
    comparison finds the file as it was archived. Ends with 1 while such a file is known.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.recovery import archive_check

    if name is not None and share:
        raise click.UsageError("--feed and --share exclude each other")
    catalog, now = load_catalog(settings), settings.now()
    known = {*catalog.feeds, *(damage.feed for damage in archive_check.damaged(settings))}
    if name is not None and name not in known:
        raise click.UsageError(f"there is no feed {name!r}; valid: {', '.join(sorted(known))}")
    try:
        if share:
            found = archive_check.verify_share(settings, now)
        else:
            found = archive_check.verify(settings, now, name, None if as_json else _progress)
    except OSError as error:
        raise click.ClickException(f"the archive could not be compared: {error}") from None
    if found is None:
        emit(as_json, {"compared": 0, "damaged": []}, lambda: console.print("This night's share was compared already."))
        return
    _tell(settings)
    emit(as_json, asdict(found), lambda: _render(found))
    if found.damaged:
        raise click.exceptions.Exit(1)


def _progress(done: int, of: int) -> None:
    if done % 1000 == 0:
        errors.print(f"{done:,} of {counted(of, 'file')} compared")


def _tell(settings: Settings) -> None:
    """Open or close the alert now. Otherwise a daemon would do it half a minute later."""
    from sqlalchemy.exc import SQLAlchemyError

    from ops_project.catalog import load as load_catalog
    from ops_project.defs.operations.observers import observers_of
    from ops_project.operations.alerting.cycle import run_once

    # The observer normally waits between two looks. If the observer waited here, a check that follows another one at
    # once would not be reported.
    only = tuple(
        replace(observer, every=timedelta()) for observer in observers_of(settings) if observer.name == "archive"
    )
    try:
        run_once(
            settings,
            load_catalog(settings),
            settings.now(),
            clock=lambda: datetime.now(UTC),
            observers=only,
            flush_now=True,
        )
    except SQLAlchemyError as error:
        say(f"the alert could not be recorded: {in_words(error, settings)}")


def _render(found: Checked) -> None:
    if not found.files:
        console.print("No file has been archived yet.")
        return
    well = found.compared - len(found.damaged)
    console.print(f"{found.compared:,} of {counted(found.files, 'archived file')} compared: {well:,} as archived.")
    if found.oldest is not None:
        console.print(f"The oldest comparison was made at {found.oldest:%Y-%m-%d %H:%M} UTC.")
    for path in found.mended:
        console.print(f"No longer damaged: archive/{path}", markup=False, soft_wrap=True)
    if not found.damaged:
        return
    rows = [
        (item.feed, item.business_date, f"archive/{item.path}", item.what, to_minute(item.since))
        for item in found.damaged
    ]
    console.print(table(["feed", "date", "file", "what was found", "since"], rows))
    console.print("What to do: `ops runbook show archive-damaged`", markup=False)
