"""What was about to be written to a pair.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("link", sa.Column("sent", sa.JSON(), nullable=False, server_default="[]"))
