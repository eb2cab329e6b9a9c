"""What was about to be written to a pair.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("link", sa.Column("sent", sa.JSON(), nullable=False, server_default="[]"))
