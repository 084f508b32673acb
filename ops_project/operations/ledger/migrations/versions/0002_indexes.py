"""Indexes for the queries of an idle cycle and of a delivery, so that their cost does not grow with the past."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("alerts_active", table_name="alerts")
    op.create_index("alerts_active", "alerts", ["active", "resolved_at"], unique=False)
    op.create_index("outbox_endpoint", "outbox", ["channel", "recipient", "delivered_at"], unique=False)


def downgrade() -> None:
    op.drop_index("outbox_endpoint", table_name="outbox")
    op.drop_index("alerts_active", table_name="alerts")
    op.create_index("alerts_active", "alerts", ["active"], unique=False)
