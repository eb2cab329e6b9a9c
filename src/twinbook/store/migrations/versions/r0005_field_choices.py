"""Decisions about single fields in conflict.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("decision", sa.Column("fields", sa.JSON(), nullable=False, server_default="{}"))
