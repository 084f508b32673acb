"""The column lineage of each version of the code."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "column_lineage",
        sa.Column("version", sa.String(32), primary_key=True, nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_index("column_lineage_last_at", "column_lineage", ["last_at"])


def downgrade() -> None:
    op.drop_table("column_lineage")
