"""On-call, incidents, holds, checklists, and the audit log of what people did through a link."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIMELINES = ("incident_events", "audit")


def _column(name: str, kind: sa.types.TypeEngine[Any], null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def _number(*, auto: bool = True, name: str = "number") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=True, autoincrement=auto, nullable=False)


def upgrade() -> None:
    moment, text, whole = sa.Float(), sa.Text(), sa.Integer()
    person = sa.Text()
    op.create_table(
        "oncall_overrides",
        _number(),
        _column("schedule", sa.String(80)),
        _column("person", person),
        _column("role", sa.String(10)),
        _column("starts_at", moment),
        _column("ends_at", moment),
        _column("why", text),
        _column("made_by", person),
        _column("made_at", moment),
        _column("ended_at", moment, True),
        _column("ended_by", person),
    )
    op.create_index("oncall_overrides_ends_at", "oncall_overrides", ["schedule", "ends_at"])
    op.create_table(
        "oncall_swaps",
        _number(),
        _column("schedule", sa.String(80)),
        _column("shift", moment),
        _column("other", moment),
        _column("asked_by", person),
        _column("agreed_by", person),
        _column("why", text),
        _column("asked_at", moment),
        _column("agreed_at", moment, True),
        _column("ended_at", moment, True),
        _column("ended_by", person),
    )
    op.create_index("oncall_swaps_schedule", "oncall_swaps", ["schedule"])
    op.create_table(
        "incidents",
        _number(auto=False),
        _column("status", sa.String(16)),
        _column("priority", sa.String(4)),
        _column("severity", sa.String(10)),
        _column("title", text),
        _column("domain", sa.String(80)),
        _column("pipeline", sa.Text()),
        _column("opened_at", moment),
        _column("resolved_at", moment, True),
        _column("live", sa.Boolean()),
        _column("version", whole),
        _column("body", sa.JSON()),
    )
    op.create_index("incidents_live", "incidents", ["live"])
    op.create_index("incidents_resolved_at", "incidents", ["resolved_at"])
    op.create_table(
        "incident_alerts",
        _number(auto=False, name="alert"),
        _column("incident", whole),
        _column("key", sa.String(16)),
        _column("joined_at", moment),
    )
    op.create_index("incident_alerts_incident", "incident_alerts", ["incident"])
    op.create_table(
        "incident_events",
        _number(name="id"),
        _column("incident", whole),
        _column("at", moment),
        _column("reason", sa.String(40)),
        _column("given_by", person),
        _column("detail", text),
    )
    op.create_index("incident_events_incident", "incident_events", ["incident"])
    op.create_table(
        "incident_evidence",
        _number(name="id"),
        _column("incident", whole),
        _column("at", moment),
        _column("kind", sa.String(40)),
        _column("title", text),
        _column("body", text),
        _column("given_by", person),
    )
    op.create_index("incident_evidence_incident", "incident_evidence", ["incident"])
    op.create_table(
        "holds",
        _number(),
        _column("subject", sa.Text()),
        _column("why", text),
        _column("made_by", person),
        _column("made_at", moment),
        _column("until", moment, True),
        _column("incident", whole, True),
        _column("released_at", moment, True),
        _column("released_by", person),
        _column("told_at", moment, True),
    )
    op.create_index("holds_released_at", "holds", ["released_at"])
    op.create_table(
        "used_links",
        sa.Column("id", sa.String(32), primary_key=True, nullable=False),
        _column("used_by", person),
        _column("used_at", moment),
    )
    op.create_table(
        "audit",
        _number(name="id"),
        _column("at", moment),
        _column("who", person),
        _column("source", sa.Text()),
        _column("action", sa.String(40)),
        _column("subject", sa.Text()),
        _column("outcome", sa.String(20)),
        _column("detail", text),
    )
    op.create_index("audit_at", "audit", ["at"])
    op.create_table(
        "checklist_lines",
        _number(name="id"),
        _column("checklist", sa.String(80)),
        _column("period", sa.String(20)),
        _column("line", sa.String(80)),
        _column("state", sa.String(10)),
        _column("value", text),
        _column("given_by", person),
        _column("at", moment),
    )
    op.create_index("checklist_lines_period", "checklist_lines", ["checklist", "period"])
    _refuse_changes()


def _refuse_changes() -> None:
    """Let the database refuse changes of recorded events, whatever program tries to make them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% keeps what happened: rows are added, never changed', TG_TABLE_NAME; END $$"
        )
    for table in TIMELINES:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_kept BEFORE UPDATE ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} keeps what happened: rows are added, never changed'); END"
            )


def downgrade() -> None:
    for table in (
        "checklist_lines",
        "audit",
        "used_links",
        "holds",
        "incident_evidence",
        "incident_events",
        "incident_alerts",
        "incidents",
        "oncall_swaps",
        "oncall_overrides",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
