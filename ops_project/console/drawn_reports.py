"""Makes reports: computes their figures, stores them, and queues the mails. A figure that is stored is never computed
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ops_project.console.figures import Answer, answer
from ops_project.console.site import Site
from ops_project.console.span import Span
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.recipients import address
from ops_project.operations.alerting.decide.state import AlertConfig, Notification
from ops_project.operations.reports import document, kept, period
from ops_project.operations.reports.facts import FigureFacts, ReportFacts
from ops_project.operations.reports.kinds import KINDS, Kind
from ops_project.operations.reports.period import Period
from ops_project.queries.boards import REPORTS, SNAPSHOT, figure

FIRST_RUN = "run.failure"
"""The kind of signal that each run leaves, whether the run failed or not."""


def report(site: Site, kind: Kind, day: date | None, now: datetime) -> ReportFacts:
    """The report on the last complete period that ends on `day` or earlier. Without `day`, the report on the newest
    complete period. Raises NotOver.
    """
    zone = site.catalog.platform.zone
    wanted = period.newest(kind.period, now, zone) if day is None else period.of(kind.period, day, zone)
    period.check_over(wanted, now)
    return kept.load(site.settings, kind.name, wanted.last) or kept.keep(site.settings, _ask(site, kind, wanted, now))


def due(site: Site, now: datetime) -> Iterator[ReportFacts]:
    """Make each report whose newest complete period has none yet, and yield it. A period before the first run gets no
    report.
    """
    began = site.ledger.first_event(FIRST_RUN)
    for kind in KINDS.values():
        wanted = period.newest(kind.period, now, site.catalog.platform.zone)
        if began is None or began >= wanted.end:
            continue
        if not kept.is_kept(site.settings, kind.name, wanted.last):
            yield report(site, kind, wanted.last, now)


def _ask(site: Site, kind: Kind, wanted: Period, now: datetime) -> ReportFacts:
    span = Span(wanted.end, wanted.start, wanted.before)
    began = site.ledger.first_event(FIRST_RUN)
    watched = began is not None and began < wanted.end
    found = (answer(site, figure(REPORTS, name), now, span) for name in kind.figures)
    figures = tuple(_facts(one if watched else _unwatched(one)) for one in found)
    return ReportFacts(
        kind=kind.name,
        title=kind.title,
        asks=kind.asks,
        first=str(wanted.first),
        last=str(wanted.last),
        until=wanted.end.isoformat(),
        drawn_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        zone=site.catalog.platform.timezone,
        figures=figures,
    )


def _unwatched(found: Answer) -> Answer:
    """The answer, marked as unknown if it is empty. The period lies before the first run: nothing was watched, so an
    empty answer does not mean that nothing happened.
    """
    if found.figure.source == SNAPSHOT or found.rows or found.unknown:
        return found
    return replace(found, unknown="Nothing was watched in the period: the first run came later.")


def _facts(found: Answer) -> FigureFacts:
    return FigureFacts(
        name=found.figure.name,
        title=found.figure.title,
        tells=found.figure.tells,
        sql=found.figure.sql,
        source=found.source,
        source_as_of=found.source_as_of.isoformat() if found.source_as_of is not None else "",
        unknown=found.unknown,
        empty=found.figure.empty,
        columns=found.columns,
        rows=tuple(tuple(_plain(value) for value in row) for row in found.rows),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def send(site: Site, facts: ReportFacts, now: datetime) -> int:
    """Queue the mails of a report, each once; the alert cycle delivers them. Returns how many are new."""
    return site.ledger.queue_messages(list(mails(facts, site.engine, now)))


def mails(facts: ReportFacts, config: AlertConfig, now: datetime) -> Iterator[Notification]:
    """The mails of a report: one through each e-mail channel of the report's receiver."""
    name = KINDS[facts.kind].reader
    receiver = config.receivers.get(name)
    if receiver is None:
        return
    for channel_name, channel in receiver.named(name):
        if channel.type not in ("email", "file") or channel_name in config.unconfigured:
            continue
        readers = [to for to in _readers(channel) if to]
        for recipient in dict.fromkeys(found for to in readers if (found := address(channel, to, config)) is not None):
            yield Notification(
                key=digest("report", facts.kind, facts.last, channel_name, recipient),
                kind="report",
                receiver=name,
                channel=channel_name,
                recipient=recipient,
                severity="low",
                reason=AlertReason.REPORT,
                created_at=now,
                payload={
                    "kind": "report",
                    "status": "notice",
                    "severity": "low",
                    "at": now.isoformat(),
                    "subject": document.subject(facts),
                    "text": document.as_markdown(facts),
                    "html": document.as_html(facts),
                    "alerts": [],
                },
            )


def _readers(channel: object) -> tuple[str, ...]:
    """The people whom the channel names. A channel that addresses the owners of an alert names nobody."""
    to = getattr(channel, "to", ())
    return tuple(to) if isinstance(to, tuple | list) else ()
