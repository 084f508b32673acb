"""An entry of the notification log also stores when its recipient was last told of each alert that the last message did
not name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("notification_log", sa.Column("own_times", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("notification_log", "own_times")
