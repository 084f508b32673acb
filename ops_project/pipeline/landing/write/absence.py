"""Writes findings about files that are due and absent, and about files that are present but cannot be taken. Each such
file has one finding. The finding is closed when it is no longer true.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.arrival import missing_dates
from ops_project.pipeline.landing.result import Finding
from ops_project.pipeline.landing.write import journal


def record_waiting(context: Context, waiting: Mapping[str, tuple[date | None, str]]) -> None:
    """Write a finding for every file that waits, so that somebody notices the file. A file waits if it cannot be taken
    in its present state, or if it has rows that should not have been loaded.

    Close the findings of files that no longer wait. One kind stays open: the findings of this run about files that it
    could not read. Such a file may be readable when the run ends, but this run has not read it.

    `waiting`: name → business date and the message.
    """
    feed = context.feed
    findings = [
        Finding("data_invalid", feed.name, day, name, f"{name} {words}") for name, (day, words) in waiting.items()
    ]
    if not findings and not context.deliveries.open_findings():
        return
    unread = [finding.file_name for finding in context.result.findings if finding.file_name and not finding.batch_id]
    with journal.transaction(context.connection):
        context.result.resolved += journal.close_ahead(context.connection, feed.name, [*waiting, *unread], context.now)
        journal.write_findings(context.connection, findings, context.now, context.run_id)
    context.deliveries.findings_changed()
    context.result.findings += findings


def record_missing(context: Context, present: Collection[date], without_control: Collection[date]) -> None:
    """Write a finding for every due date that has no file.

    `present`: dates whose files were left in the inbound folder on purpose.
    `without_control`: dates whose files wait for their control files.
    """
    feed = context.feed
    known = context.deliveries.dates().union(present)
    said = {item.business_date for item in context.deliveries.open_findings() if item.kind == "source_missing"}
    ask = f"; contact {feed.contact}" if feed.contact else ""
    findings = []
    for day in missing_dates(feed, known, context.now):
        if day in said:
            continue
        what = f"no file of {feed.name} for {day} ({', '.join(feed.inbound)})"
        if day in without_control and feed.control is not None:
            what = f"the file of {feed.name} for {day} is there, but its control file ({feed.control.file}) is not"
        evidence = {"expected": feed.expected.kind, "inbound": list(feed.inbound)}
        findings.append(
            Finding(
                kind="source_missing",
                feed=feed.name,
                business_date=day,
                file_name=None,
                message=what + ask,
                evidence=evidence,
            )
        )
    if findings:
        with journal.transaction(context.connection):
            journal.write_findings(context.connection, findings, context.now, context.run_id)
    context.result.findings += findings
