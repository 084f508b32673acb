"""Stores who holds the claim of a message, and which recipients have not got it yet. Texts that come from people and
services may have any length.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# These columns hold texts from people, mail servers and recipient lists. SQLite has never enforced their length.
FREE = (
    ("outbox", "recipient", 240),
    ("notification_log", "recipient", 240),
    ("silences", "owner", 160),
    ("verdicts", "given_by", 160),
    ("acknowledgements", "given_by", 160),
)


def upgrade() -> None:
    op.add_column("outbox", sa.Column("claim", sa.Integer(), nullable=True))
    op.add_column("outbox", sa.Column("remaining", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        for table, column, length in FREE:
            op.alter_column(table, column, type_=sa.Text(), existing_type=sa.String(length), existing_nullable=False)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column, length in FREE:
            op.alter_column(table, column, type_=sa.String(length), existing_type=sa.Text(), existing_nullable=False)
    op.drop_column("outbox", "remaining")
    op.drop_column("outbox", "claim")
