"""Stores the level of each series, filled from the signals that have been decided on. Stores also the alerts that
people closed by hand.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# The signals that define the level of each series: its newest ok signal by the time of the event, and the failures
# since then; of these, the newest for each set of labels.
FILL = """
INSERT INTO levels (fingerprint, seq)
WITH known AS (
    SELECT fingerprint, seq, state, event_at,
        row_number() OVER (
            PARTITION BY fingerprint, state, CASE WHEN state = 'ok' THEN '' ELSE labels END
            ORDER BY event_at DESC, seq DESC
        ) AS place
    FROM signals
    WHERE seq <= :decided AND (value IS NOT NULL OR labels NOT LIKE '%"unknown"%')
),
newest AS (SELECT * FROM known WHERE place = 1)
SELECT fingerprint, seq FROM newest
WHERE state = 'ok' OR NOT EXISTS (
    SELECT 1 FROM newest AS repaired
    WHERE repaired.fingerprint = newest.fingerprint AND repaired.state = 'ok'
        AND (repaired.event_at > newest.event_at
            OR (repaired.event_at = newest.event_at AND repaired.seq > newest.seq))
)
"""


def upgrade() -> None:
    op.create_table(
        "levels",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "seq"),
    )
    op.create_index("levels_seq", "levels", ["seq"], unique=False)
    op.create_table(
        "dismissals",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_table(
        "resolutions",
        sa.Column("alert", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("given_by", sa.String(length=160), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("taken_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("alert"),
    )
    connection = op.get_bind()
    decided = connection.execute(sa.text("SELECT value FROM cursors WHERE name = 'decided'")).scalar()
    if decided is not None:
        connection.execute(sa.text(FILL), {"decided": int(decided)})


def downgrade() -> None:
    op.drop_table("resolutions")
    op.drop_table("dismissals")
    op.drop_index("levels_seq", table_name="levels")
    op.drop_table("levels")
