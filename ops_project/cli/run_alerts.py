"""Runs the alert cycle at the end of `ops run`, and reports if the cycle fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops_project.cli import faults
from ops_project.cli.ledger_lost import tell_ledger_back, tell_without_ledger
from ops_project.cli.output import errors
from ops_project.counted import counted
from ops_project.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from ops_project.catalog import Catalog
    from ops_project.dagster_bridge.storage_errors import OutOfReach
    from ops_project.operations.alerting.stages.under_way import CycleReport


def tell_alerts(
    settings: Settings,
    status: Callable[[str], None],
    cycle: Callable[[], CycleReport],
    unrecorded: list[str],
    said: str = "",
) -> None:
    """Run one alert cycle. If it fails, its reason is added to `unrecorded`, and people are told without the ledger.
    `said`: a text that the command has already printed, and that is not printed again.
    """
    _compare_archive(settings, status)
    status("alerts")
    try:
        report = cycle()
    except Exception as error:
        unrecorded.append(faults.in_words(error, settings))
        tell_without_ledger(settings, unrecorded[-1])
        return
    tell_ledger_back(settings)
    if report.decided_by:
        errors.print(f"alerts: {report.decided_by}", markup=False, soft_wrap=True)
    for names, words in together(report.observer_errors):
        if words != said:
            errors.print(f"alerts: {names}: {words}", markup=False, soft_wrap=True)
    for name, words in report.waiting.items():
        errors.print(f"alerts: {name}: messages wait, {words} in this process", markup=False, soft_wrap=True)


@contextmanager
def told_if_storage_fails(
    settings: Settings, catalog: Catalog, status: Callable[[str], None], unrecorded: list[str]
) -> Iterator[None]:
    """Report an error of Dagster's storage in the block by an alert. Such an error cannot be stored with a run, and
    nobody may read the output of a command that a timetable started. Raises StorageUnusable.
    """
    from ops_project.dagster_bridge.storage_errors import OutOfReach, StorageUnusable, storage_words

    try:
        yield
    except Exception as error:
        if not (words := storage_words(error, settings.dagster_home)):
            raise
        failed = StorageUnusable(words)
        unrecorded += catch_up(settings, catalog, OutOfReach(failed), status, said=words)
        raise failed from error


def catch_up(
    settings: Settings,
    catalog: Catalog,
    instance: dg.DagsterInstance | OutOfReach,
    status: Callable[[str], None],
    *,
    said: str = "",
) -> list[str]:
    """Run one alert cycle although there is nothing to run. The cycle does not need the definitions, which take 2.5 s
    to make.

    Returns what could not be recorded.
    """
    from ops_project.defs.operations.evidence import sources_of
    from ops_project.defs.operations.observers import observers_of
    from ops_project.operations.alerting.cycle import run_once

    unrecorded: list[str] = []
    tell_alerts(
        settings,
        status,
        lambda: run_once(
            settings,
            catalog,
            settings.now(),
            instance,
            clock=lambda: datetime.now(UTC),
            observers=observers_of(settings),
            evidence=sources_of(settings),
            flush_now=True,
        ),
        unrecorded,
        said,
    )
    return unrecorded


def together(failed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Groups failures by their reason, as (names, reason). Names with the same reason share a line, because one store
    that is down makes several observers fail.
    """
    names: dict[str, list[str]] = {}
    for name, words in failed.items():
        names.setdefault(words, []).append(name)
    return [(", ".join(found), words) for words, found in names.items()]


def _compare_archive(settings: Settings, status: Callable[[str], None]) -> None:
    """Check this night's share of the archive. Without a daemon, no schedule does it."""
    from ops_project.pipeline.recovery.archive_check import verify_share

    status("archive")
    try:
        found = verify_share(settings, settings.now())
    except OSError as error:
        errors.print(
            f"archive: its files could not be compared with their hashes: {error}", markup=False, soft_wrap=True
        )
        return
    if found is not None and found.damaged:
        number = len(found.damaged)
        errors.print(
            f"archive: {counted(number, 'file is', 'files are')} not what was archived; "
            "`ops archive verify` names them",
            soft_wrap=True,
        )
