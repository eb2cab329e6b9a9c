"""A run lists one side: contacts of NetSuite are back-filled too.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("run", sa.Column("side", sa.Text(), nullable=False, server_default="salesforce"))
