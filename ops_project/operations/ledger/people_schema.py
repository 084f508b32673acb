"""The tables for on-call, incidents, holds and checklists, and for what people did through links. As in `schema`, times
are seconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text

from ops_project.operations.ledger.schema import metadata

oncall_overrides = Table(
    "oncall_overrides",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("schedule", String(80), nullable=False),
    Column("person", Text(), nullable=False),
    Column("role", String(10), nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_by", Text(), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", Text(), nullable=False),
    Index("oncall_overrides_ends_at", "schedule", "ends_at"),
)

oncall_swaps = Table(
    "oncall_swaps",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("schedule", String(80), nullable=False),
    Column("shift", Float, nullable=False),
    Column("other", Float, nullable=False),
    Column("asked_by", Text(), nullable=False),
    Column("agreed_by", Text(), nullable=False),
    Column("why", Text, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("agreed_at", Float),
    Column("ended_at", Float),
    Column("ended_by", Text(), nullable=False),
    Index("oncall_swaps_schedule", "schedule"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("priority", String(4), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("title", Text, nullable=False),
    Column("domain", String(80), nullable=False),
    Column("pipeline", Text(), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("resolved_at", Float),
    Column("live", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index("incidents_live", "live"),
    Index("incidents_resolved_at", "resolved_at"),
)
"""`live`: whether something can still happen without a person, for example an escalation step, a reopening or a
reminder of the post-mortem.
"""

incident_alerts = Table(
    "incident_alerts",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer, nullable=False),
    Column("key", String(16), nullable=False),
    Column("joined_at", Float, nullable=False),
    Index("incident_alerts_incident", "incident"),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("given_by", Text(), nullable=False),
    Column("detail", Text, nullable=False),
    Index("incident_events_incident", "incident"),
)

incident_evidence = Table(
    "incident_evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("incident", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("given_by", Text(), nullable=False),
    Index("incident_evidence_incident", "incident"),
)

holds = Table(
    "holds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject", Text(), nullable=False),
    Column("why", Text, nullable=False),
    Column("made_by", Text(), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("until", Float),
    Column("incident", Integer),
    Column("released_at", Float),
    Column("released_by", Text(), nullable=False),
    Column("told_at", Float),
    Index("holds_released_at", "released_at"),
)

used_links = Table(
    "used_links",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("used_by", Text(), nullable=False),
    Column("used_at", Float, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", Text(), nullable=False),
    Column("source", Text(), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text(), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_at", "at"),
)

checklist_lines = Table(
    "checklist_lines",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("checklist", String(80), nullable=False),
    Column("period", String(20), nullable=False),
    Column("line", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("value", Text, nullable=False),
    Column("given_by", Text(), nullable=False),
    Column("at", Float, nullable=False),
    Index("checklist_lines_period", "checklist", "period"),
)
