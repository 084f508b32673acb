"""Stores incidents, with their alerts, timelines and evidence. Lines of a timeline are added and never changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, insert, or_, select

from ops_project.operations.alerting.decide.state import Notification
from ops_project.operations.incidents.decide.incident import Event, Incident
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.ledger.access import (
    Access,
    from_seconds,
    maybe_seconds,
    to_seconds,
    upsert,
)
from ops_project.operations.ledger.leases import check_fence
from ops_project.operations.ledger.people_schema import (
    holds,
    incident_alerts,
    incident_events,
    incident_evidence,
    incidents,
)
from ops_project.operations.ledger.queueing import queue
from ops_project.operations.ledger.schema import acknowledgements, outbox

Change = Callable[[Incident], tuple[Incident, list[Event]]]


class NoIncident(LookupError):
    """There is no incident with that number."""


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "number": incident.number,
        "status": incident.status,
        "priority": incident.priority,
        "severity": incident.severity,
        "title": incident.title,
        "domain": incident.domain,
        "pipeline": incident.pipeline,
        "opened_at": to_seconds(incident.opened_at),
        "resolved_at": maybe_seconds(incident.resolved_at),
        "live": incident.live,
        "version": incident.version,
        "body": incident.dump(),
    }


def _add_events(connection: Connection, events: Iterable[Event]) -> None:
    rows = [
        {"incident": e.incident, "at": to_seconds(e.at), "reason": e.reason.value, "given_by": e.by, "detail": e.detail}
        for e in events
    ]
    if rows:
        connection.execute(insert(incident_events), rows)


def _with_status(statement: Select[Any], status: str | None) -> Select[Any]:
    if status == "open":
        return statement.where(incidents.c.status != "resolved")
    return statement.where(incidents.c.status == status) if status else statement


# After every write, the cycle reads all live incidents again, and nearly all of them are unchanged. Decoding 5,000 of
# them took 0.5 s of CPU.
@lru_cache(maxsize=8192)
def _read(body: str) -> Incident:
    return Incident.parse(json.loads(body))


class IncidentTable(Access):
    """Reads and writes incidents, and answers questions about them."""

    def load_incidents(self, now: datetime, back: timedelta) -> dict[int, Incident]:
        """All live incidents, and those that ended at most `back` ago."""
        since = now - back

        def ask() -> tuple[datetime, Sequence[Incident]]:
            recent = incidents.c.resolved_at > to_seconds(since)
            with self.read() as connection:
                body = cast(incidents.c.body, Text).label("body_text")
                rows = connection.execute(select(body).where(or_(incidents.c.live, recent)))
                return since, [_read(row.body_text) for row in rows]

        complete_since, found = self.answers.ask(("incidents", back), ask)
        if complete_since > since:
            _, found = ask()
        return {
            incident.number: incident
            for incident in found
            if incident.live or (incident.resolved_at is not None and incident.resolved_at > since)
        }

    def incidents_of(self, alerts: Sequence[int]) -> Mapping[int, int]:
        """Number of an alert → number of its incident, for those of these alerts that have one."""
        if not alerts:
            return {}
        return self.answers.ask(("incidents of", tuple(alerts)), lambda: self._incidents_of(alerts))

    def _incidents_of(self, alerts: Sequence[int]) -> dict[int, int]:
        statement = select(incident_alerts.c.alert, incident_alerts.c.incident).where(
            incident_alerts.c.alert.in_(alerts)
        )
        with self.read() as connection:
            return {row.alert: row.incident for row in connection.execute(statement)}

    def next_incident(self) -> int:
        def ask() -> int:
            with self.read() as connection:
                return (connection.execute(select(func.max(incidents.c.number))).scalar() or 0) + 1

        return self.answers.ask("next incident", ask)

    def record_incidents(
        self,
        changed: Mapping[int, Incident],
        *,
        joined: Mapping[int, tuple[int, str]],
        events: Sequence[Event],
        notifications: Mapping[int, Sequence[Notification]],
        now: datetime,
        lease: tuple[str, str, int] | None = None,
    ) -> int:
        """Write what a cycle has decided, with its messages, in one transaction. Returns how many messages are new.

        An incident is left out if a person has changed it since it was read. The next cycle decides about its new
        state.
        """
        with self.write() as connection:
            if lease is not None:
                check_fence(connection, *lease)
            numbers = {*changed, *(event.incident for event in events)}
            statement = select(incidents.c.number, incidents.c.version).where(incidents.c.number.in_(numbers))
            versions: dict[int, int] = {row.number: row.version for row in connection.execute(statement)}
            moved = {n for n, incident in changed.items() if versions.get(n, incident.version) != incident.version}
            rows = [
                {
                    **_row(incident),
                    "version": incident.version + 1,
                    "body": {**incident.dump(), "version": incident.version + 1},
                }
                for n, incident in sorted(changed.items())
                if n not in moved
            ]
            if rows:
                connection.execute(upsert(connection, incidents, ["number"]), rows)
            members = [
                {"alert": alert, "incident": incident, "key": key, "joined_at": to_seconds(now)}
                for alert, (incident, key) in joined.items()
                if incident not in moved
            ]
            if members:
                connection.execute(upsert(connection, incident_alerts, ["alert"]), members)
            _add_events(connection, (event for event in events if event.incident not in moved))
            wanted = [n for number, items in notifications.items() if number not in moved for n in items]
            return queue(connection, wanted)

    def queue_messages(self, wanted: Sequence[Notification]) -> int:
        """Put messages into the outbox that do not come from a decision. A message whose key is already known is
        skipped. Returns how many are new.
        """
        with self.write() as connection:
            return queue(connection, wanted)

    def tell_of_holds(self, told: Mapping[int, Sequence[Notification]], now: datetime) -> int:
        """Queue the notices about holds, once for each hold. `told`: number of a hold → its messages. Returns how many
        messages are new.
        """
        with self.write() as connection:
            connection.execute(
                holds.update()
                .where(holds.c.number.in_(list(told)), holds.c.told_at.is_(None))
                .values(told_at=to_seconds(now))
            )
            return queue(connection, [notification for items in told.values() for notification in items])

    def change_incident(
        self, number: int, change: Change, now: datetime, acknowledge: tuple[str, str] | None = None
    ) -> Incident:
        """Apply a person's change in one transaction. Raises NoIncident, and the errors of `change`.

        `acknowledge`: (by, note), with which the firing alerts of the incident are acknowledged. An empty `by`
        withdraws their acknowledgements.
        """
        with self.write() as connection:
            body = connection.execute(select(incidents.c.body).where(incidents.c.number == number)).scalar()
            if body is None:
                raise NoIncident(f"there is no incident {number}; `ops incidents list --all` shows them")
            before = Incident.parse(body)
            after, events = change(before)
            body = {**after.dump(), "version": before.version + 1}
            row = {**_row(after), "version": before.version + 1, "body": body}
            connection.execute(upsert(connection, incidents, ["number"]), [row])
            _add_events(connection, events)
            if acknowledge is not None and before.firing:
                by, note = acknowledge
                connection.execute(
                    upsert(connection, acknowledgements, ["alert"]),
                    [
                        {"alert": alert, "given_by": by, "note": note, "at": to_seconds(now), "told_at": None}
                        for alert in before.firing
                    ],
                )
        return Incident.parse(body)

    def note_incident(self, number: int, reason: IncidentReason, by: str, detail: str, now: datetime) -> None:
        """Add a line to the timeline, and change nothing else."""
        with self.write() as connection:
            _add_events(connection, [Event(number, now, reason, by, detail)])

    def incident(self, number: int) -> Incident | None:
        with self.read() as connection:
            body = connection.execute(select(incidents.c.body).where(incidents.c.number == number)).scalar()
        return None if body is None else Incident.parse(body)

    def incidents(
        self, status: str | None = None, limit: int | None = 100, since: datetime | None = None
    ) -> list[Incident]:
        """At most `limit` incidents, the newest first. `status`: triggered, acknowledged, resolved, or `open` (not
        resolved). None means all.
        """
        statement = _with_status(select(incidents.c.body), status).order_by(incidents.c.number.desc()).limit(limit)
        if since is not None:
            statement = statement.where(incidents.c.opened_at >= to_seconds(since))
        with self.read() as connection:
            return [Incident.parse(row.body) for row in connection.execute(statement)]

    def count_incidents(self, status: str | None = None) -> int:
        """How many incidents `incidents` would return without a limit."""
        with self.read() as connection:
            counted = _with_status(select(func.count()).select_from(incidents), status)
            return int(connection.execute(counted).scalar_one())

    def incident_timeline(self, number: int) -> list[Event]:
        statement = select(incident_events).where(incident_events.c.incident == number).order_by(incident_events.c.id)
        with self.read() as connection:
            return [
                Event(row.incident, from_seconds(row.at), IncidentReason(row.reason), row.given_by, row.detail)
                for row in connection.execute(statement)
            ]

    def keep_evidence(self, number: int, kind: str, *, title: str, body: str, by: str, now: datetime) -> None:
        """Store a piece of evidence of an incident, for example the output of a step or a post-mortem."""
        row = {"incident": number, "at": to_seconds(now), "kind": kind, "title": title, "body": body, "given_by": by}
        with self.write() as connection:
            connection.execute(insert(incident_evidence), row)

    def evidence(self, number: int, kind: str | None = None) -> list[dict[str, Any]]:
        """The evidence of an incident, the oldest first."""
        statement = select(incident_evidence).where(incident_evidence.c.incident == number)
        if kind is not None:
            statement = statement.where(incident_evidence.c.kind == kind)
        with self.read() as connection:
            return [
                {
                    "at": from_seconds(row.at),
                    "kind": row.kind,
                    "title": row.title,
                    "body": row.body,
                    "by": row.given_by,
                }
                for row in connection.execute(statement.order_by(incident_evidence.c.id))
            ]

    def paged_elsewhere(self, alerts: Sequence[int], channels: Sequence[str]) -> dict[int, str]:
        """Number of an alert → the one of `channels` that has delivered a message about the alert while it fired."""
        if not alerts or not channels:
            return {}
        statement = select(outbox.c.channel, outbox.c.firing).where(
            outbox.c.state == "delivered", outbox.c.channel.in_(channels), outbox.c.kind == "alert"
        )
        wanted, found = set(alerts), dict[int, str]()
        with self.read() as connection:
            for row in connection.execute(statement):
                found |= dict.fromkeys(wanted.intersection(row.firing), row.channel)
        return found
