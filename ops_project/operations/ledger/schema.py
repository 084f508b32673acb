"""The tables of the ledger. A time is stored as seconds since the epoch (UTC), because such numbers are sorted and
compared alike in SQLite and PostgreSQL. In SQLite, writing 100,000 signals with DateTime columns took twice as long as
with floats.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

HEAD = "0008"
metadata = MetaData()


def _free(length: int) -> TypeEngine[str]:
    """The column type for a text of any length. SQLite ignores the length of a column, so the first migration did not
    have to change.
    """
    return String(length).with_variant(Text(), "postgresql")


signals = Table(
    "signals",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("kind", String(80), nullable=False),
    Column("state", String(8), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("value", Float),
    Column("total", Float),
    Column("event_at", Float, nullable=False),
    Column("observed_at", Float, nullable=False),
    Column("domain", String(80), nullable=False),
    Column("pipeline", String(160), nullable=False),
    Column("asset", String(240), nullable=False),
    Column("partition", String(160), nullable=False),
    Column("check_name", String(240), nullable=False),
    Column("owners", Text, nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("batch_id", String(64), nullable=False),
    Column("failure_class", String(40), nullable=False),
    Column("evidence_ref", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("assets", Text, nullable=False),
    Column("occurrence", String(160), nullable=False),
    Index("signals_kind_event_at", "kind", "event_at"),
    Index("signals_series", "kind", "fingerprint", "seq"),
    sqlite_autoincrement=True,
)

levels = Table(
    "levels",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    # The signals that define the level of the series: its newest ok signal, and the failures after it. Pruning keeps
    # these signals.
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Index("levels_seq", "seq"),
)

dismissals = Table(
    "dismissals",
    metadata,
    # The key identifies a series, or the window of a rule over one subject.
    Column("fingerprint", String(16), primary_key=True),
    Column("at", Float, nullable=False),
)

resolutions = Table(
    "resolutions",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("given_by", String(160), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("taken_at", Float),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Float, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String(16), nullable=False),
    Column("rule", String(120), nullable=False),
    Column("status", String(10), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("domain", String(80), nullable=False),
    Column("asset", String(240), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("fired_at", Float),
    Column("resolved_at", Float),
    Column("updated_at", Float, nullable=False),
    Column("summary", Text, nullable=False),
    Column("muted", String(40), nullable=False),
    Column("cause", Integer),
    Column("incident_id", Integer),
    Column("body", JSON, nullable=False),
    Index("alerts_active", "active", "resolved_at"),
    Index("alerts_key", "key"),
    Index("alerts_rule", "rule"),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alert", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Index("alert_events_alert", "alert"),
)

groups = Table(
    "groups",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("route", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("members", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_flush", Float, nullable=False),
)

notification_log = Table(
    "notification_log",
    metadata,
    Column("group_key", String(16), primary_key=True),
    Column("channel", String(120), primary_key=True),
    Column("recipient", _free(240), primary_key=True),
    Column("firing", JSON, nullable=False),
    Column("resolved", JSON, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    # NULL if the recipient was told of all alerts at `at`. Entries of earlier versions have NULL.
    Column("own_times", JSON(none_as_null=True), nullable=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(16), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("receiver", String(80), nullable=False),
    Column("channel", String(120), nullable=False),
    Column("recipient", _free(240), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("group_key", String(16), nullable=False),
    Column("firing", JSON, nullable=False),
    Column("resolved", JSON, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("uncertain", Integer, nullable=False),
    Column("next_attempt_at", Float, nullable=False),
    Column("claimed_at", Float),
    Column("delivered_at", Float),
    Column("last_error", Text, nullable=False),
    Column("claim", Integer),
    Column("remaining", Text, nullable=False, server_default=""),
    Index("outbox_due", "state", "next_attempt_at"),
    Index("outbox_endpoint", "channel", "recipient", "delivered_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("outbox_id", Integer, ForeignKey("outbox.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Index("deliveries_outbox", "outbox_id"),
)

silences = Table(
    "silences",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("matchers", JSON, nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("owner", _free(160), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("notice_sent_at", Float),
    Index("silences_ends_at", "ends_at"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alert", Integer, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Column("given_by", _free(160), nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("alert", name="verdicts_alert"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("given_by", _free(160), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("told_at", Float),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", String(160), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("heartbeat_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("digest", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("updated_at", Float, nullable=False),
)
"""Larger values that rarely change, for example the asset graph, the usual durations of jobs, and the alerts that the
Dagster UI showed last.
"""

column_lineage = Table(
    "column_lineage",
    metadata,
    Column("version", String(32), primary_key=True),
    Column("commit", String(64), nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("body", JSON, nullable=False),
    Index("column_lineage_last_at", "last_at"),
)
