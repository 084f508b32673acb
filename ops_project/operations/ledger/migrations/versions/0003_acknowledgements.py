"""Acknowledgements: who works on an alert, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("alert", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("given_by", sa.String(length=160), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("alert"),
    )


def downgrade() -> None:
    op.drop_table("acknowledgements")
